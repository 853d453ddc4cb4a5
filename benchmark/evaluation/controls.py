"""The rows of the tables that are no model, and what each is."""

OF_IDENTITY = {
    "real": "the test image itself: an upper bound",
    "copy": "output = input, whatever the target view",
    "mean_image": "the mean auxiliary image of the target view: a lower bound",
    "oracle": "the true picture of the same car from the target view (rendered cars only)",
}

OF_FEWSHOT = {
    "no_augmentation": "the real images alone",
    "real_repeated": "the real images in both halves of each batch, marked as real: what a full batch does",
    "standard_augmentation": "the real images alone, shifted by up to an eighth and changed in colour",
    "copy": "copies of the real images, marked as generated",
    "shuffled_labels": "the same copies, their labels shuffled: a sanity check",
    "oracle": "true pictures of the same car from all views, marked as generated: an upper bound (rendered cars only)",
}
