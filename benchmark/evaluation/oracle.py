"""The true pictures of rendered cars from every view: what the control `oracle` answers with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.data.pictures import crop
from benchmark.data.rendered import render_views
from rendered_cars.folder import SCENES


def render_targets(
    root: Path, images: Sequence[str], views: Sequence[str], image_size: int, margin: float, *, seed: int, size: int
) -> NDArray[np.uint8]:
    """Render images again, from every view: the same car, paint, light and background.

    It takes both cores and some seconds.

    Args:
        root: folder of the rendered cars.
        images: paths relative to it, as in the manifest, (N,).
        views: names of the target views.
        image_size: side S of the squares.
        margin: as for `crop`.
        seed: of the rendered cars.
        size: long side of a rendered picture in pixels.

    Returns:
        The squares of shape (N, views, S, S, 3).
    """
    names = [image.removeprefix("image/") for image in images]
    scenes = pd.read_parquet(root / SCENES).set_index("image").loc[names].reset_index()
    pictures = np.empty((len(names), len(views), image_size, image_size, 3), np.uint8)
    for made in render_views(scenes, views, seed, size):
        pictures[made.row, views.index(made.view)] = crop(made.picture, made.box, image_size, margin)
    return pictures
