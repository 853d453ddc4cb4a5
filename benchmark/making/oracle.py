"""The true pictures of every standard image from every view: rendered cars alone have them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.data.image_store import open_store
from benchmark.data.roots import data_root
from benchmark.evaluation.oracle import render_targets
from benchmark.files import replacing
from benchmark.run.artifacts import Artifact, Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.workspace import Run

PICTURES = "pictures.npy"


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Render them, which takes both cores and some seconds."""
    store, data = open_store(run), run.settings.data
    images, cars = store.manifest["image"].iloc[store.subset("standard")].tolist(), data.rendered
    squares = data.image_size, data.margin
    pictures: NDArray[np.uint8] = render_targets(
        data_root(data), images, data.views, *squares, seed=cars.seed, size=cars.size
    )
    with replacing(folder / PICTURES) as temporary, temporary.open("wb") as file:
        np.save(file, pictures, allow_pickle=False)
    return Made((PICTURES,), {})
