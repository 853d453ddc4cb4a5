"""The image store: every image of the filtered manifest decoded, cropped and resized."""

from typing import TYPE_CHECKING

from benchmark.data import image_store, images, manifest
from benchmark.data.roots import KEPT, data_root
from benchmark.run.artifacts import Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.artifacts import Artifact
    from benchmark.run.workspace import Run


def make(run: "Run", artifact: "Artifact", folder: "Path") -> Made:
    """Decode the images; those that cannot be used are listed in `rejected.csv` of the run."""
    data = run.settings.data
    kept, rejected = manifest.read(run.data / KEPT), run.folder / "rejected.csv"
    _, account = images.build(kept, data_root(data), data.image_size, data.margin, folder, rejected_path=rejected)
    print(account)
    return Made((image_store.ARRAY, image_store.FACTS, image_store.MANIFEST), {})
