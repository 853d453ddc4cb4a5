"""The few-shot classifier and its bit."""

import numpy as np
import pytest
import torch

from benchmark.errors import DivergedError
from benchmark.evaluation import classifier as module
from benchmark.evaluation import resnet
from benchmark.evaluation.classifier import Classifier, Examples, Recipe, fit, predict
from benchmark.seeding import seed_global

CPU = torch.device("cpu")
CLASSES, PER_CLASS, SIZE = 3, 6, 16


def drawn(seed: int, per_class: int = PER_CLASS) -> Examples:
    """Noisy pictures; a white bar at a place of its own shows the class."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), per_class)
    images = random.integers(0, 120, (len(labels), SIZE, SIZE, 3)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 5 * label : 5 * label + 4] = 255
    return Examples(images, labels, np.ones(len(labels), bool))


def trained(examples: Examples, steps: int = 30, augment: bool = False) -> Classifier:
    seed_global("test")
    return fit(examples, CLASSES, Recipe(steps, 8, 0.01, "stock", augment), CPU, "test")


def test_it_learns_what_can_be_learned() -> None:
    test = drawn(1, 20)
    assert (predict(trained(drawn(0)), test.images, CPU) == test.labels).mean() > 0.9


def test_it_learns_with_changed_images() -> None:
    test = drawn(1, 20)
    assert (predict(trained(drawn(0), 60, augment=True), test.images, CPU) == test.labels).mean() > 0.6


def test_the_bit_shifts_each_logit_by_a_constant() -> None:
    model = trained(drawn(0), 3)
    images = torch.randn(5, 3, SIZE, SIZE)
    with torch.no_grad():
        shift = model(images, torch.ones(5)) - model(images, torch.zeros(5))
    torch.testing.assert_close(shift, model.last.weight[:, -1].expand(5, -1), atol=1e-5, rtol=1e-4)


def test_test_images_count_as_real() -> None:
    model = trained(drawn(0), 3)
    with torch.no_grad():
        model.last.weight[:, -1] = torch.tensor([0.0, 1e4, 0.0])  # with the bit, class 1 wins whatever the image
    assert (predict(model, drawn(1).images, CPU) == 1).all()


def test_the_bit_is_learned_from_the_marks() -> None:
    examples = drawn(0)
    real = examples.labels != 2  # all images of class 2 are generated
    model = trained(Examples(examples.images, examples.labels, real), 60)
    weights = model.last.weight[:, -1]
    assert weights[2] < weights[:2].min()


def test_the_same_seed_gives_the_same_classifier() -> None:
    first, second = (trained(drawn(0), 4).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("count", [6, 100])
def test_the_number_of_steps_does_not_depend_on_the_number_of_images(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self, *a, **k: taken.append(1) or step(self, *a, **k))
    trained(drawn(0, count), 7)
    assert len(taken) == 7


def with_added(per_class: int, added: int) -> Examples:
    """The examples of `drawn`, and each of them `added` times more, marked as generated."""
    own = drawn(0, per_class)
    images, labels = (np.concatenate([each, np.repeat(each, added, 0)]) for each in (own.images, own.labels))
    return Examples(images, labels, np.arange(len(labels)) < len(own.labels), len(own.labels) * added)


def rows_of(examples: Examples, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Return the rows of every batch of a training run."""
    found = []
    with monkeypatch.context() as patched:
        patched.setattr(resnet, "fit", lambda network, images, batches, *rest: found.append(batches))
        seed_global("test")
        fit(examples, CLASSES, recipe, CPU, "test")
    return found[0]


def test_real_images_are_seen_alike_whatever_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(6, 6, 0.01, "stock")
    alone, few, many = (rows_of(with_added(4, added), recipe, monkeypatch) for added in (0, 1, 20))
    assert alone.shape == (6, 6)
    assert few.shape == many.shape == (6, 12)
    assert (few[:, :6] == alone).all()
    assert (many[:, :6] == alone).all()
    for start in (0, 2, 4):  # every image before any comes again
        assert sorted(alone[start : start + 2].flatten()) == list(range(12))


def test_added_images_have_the_other_half_of_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(6, 6, 0.01, "stock")
    few, many = (rows_of(with_added(4, added), recipe, monkeypatch)[:, 6:] for added in (1, 20))
    assert (np.bincount(few.flatten(), minlength=24)[12:] == 3).all()
    assert few.min() == 12
    assert len(set(many.flatten())) == 36  # none twice as long as there are others
    assert many.min() >= 12


def test_batches_of_fewer_images_than_asked_for_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows_of(drawn(0, 1), Recipe(4, 8, 0.01, "stock"), monkeypatch).shape == (4, 8)


def test_a_loss_that_is_not_finite_ends_it() -> None:
    seed_global("test")
    with pytest.raises(DivergedError, match=r"test: the loss is not finite; lower fewshot\.learning_rate"):
        fit(drawn(0), CLASSES, Recipe(3, 8, 1e30, "stock"), CPU, "test")


def test_predictions_do_not_depend_on_the_size_of_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model, images = trained(drawn(0), 10), drawn(1, 7).images
    whole = predict(model, images, CPU)
    monkeypatch.setattr(module, "PART", 4)
    assert (predict(model, images, CPU) == whole).all()
