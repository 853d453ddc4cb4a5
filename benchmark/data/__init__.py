"""From images on disk to one table (the manifest) and one array (the image store)."""
