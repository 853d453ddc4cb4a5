"""Trained generators, and the controls that stand beside them, as functions from images and a view to images."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.images import ImageStore
from benchmark.evaluation.outputs import Turner
from benchmark.seeding import generator
from benchmark.settings import Data
from benchmark.training.sampling import to_float
from models.interface import NOISE, ViewModel, one_hot

CHUNK = 256  # images averaged at once


def inputs(store: ImageStore, positions: NDArray[np.int64]) -> Tensor:
    """Return the images at `positions` of the manifest, of shape (B, 3, S, S), in [-1, 1]."""
    return to_float(store.images[store.manifest["row"].to_numpy()[positions]])


def noise(positions: NDArray[np.int64], view: int) -> Tensor:
    """Return the noise (B, 128) that every model gets for these inputs and this view."""
    rows = [generator("noise", int(position), view).standard_normal(NOISE, np.float32) for position in positions]
    return torch.from_numpy(np.stack(rows))


def trained(model: ViewModel, store: ImageStore, views: int, device: torch.device) -> Turner:
    """Return the generator of a trained model, in evaluation mode."""
    model.eval()

    @torch.no_grad()
    def turn(positions: NDArray[np.int64], view: int) -> Tensor:
        code = one_hot(torch.full((len(positions),), view), views)
        arguments = (inputs(store, positions), code, noise(positions, view))
        return model.generate(*(argument.to(device) for argument in arguments)).clamp(-1, 1)

    return turn


def copy(store: ImageStore) -> Turner:
    """Return the control that gives the input back; with each image's own view alone it is the row `real`."""
    return lambda positions, view: inputs(store, positions)


def mean_image(store: ImageStore) -> Turner:
    """Return the control that answers with the mean auxiliary image of the wanted view."""
    auxiliary = store.manifest.iloc[store.subset("auxiliary")]
    rows = auxiliary.groupby("view_label")["row"].agg(list)
    means = [torch.from_numpy(_mean(store.images, rows[view])).permute(2, 0, 1) for view in sorted(rows.index)]
    stacked = torch.stack(means).float().div(127.5).sub(1.0)
    return lambda positions, view: stacked[view].expand(len(positions), -1, -1, -1)


def _mean(images: NDArray[np.uint8], rows: list[int]) -> NDArray[np.float64]:
    """Return the mean (S, S, 3) of some images, of which only a part is in memory at once; sums of bytes are exact."""
    parts = (images[rows[start : start + CHUNK]] for start in range(0, len(rows), CHUNK))
    total: NDArray[np.int64] = sum(part.sum(0, dtype=np.int64) for part in parts)
    return total / len(rows)


def oracle(store: ImageStore, settings: Data, root: Path, wanted: NDArray[np.int64]) -> Turner:
    """Return the control that shows the same car, paint, light and background from the wanted view.

    Every image of `wanted`, growing positions in the manifest, is rendered anew from every view at once, which takes
    both cores and some seconds.
    """
    from benchmark.data import rendered
    from benchmark.data.images import crop

    names = store.manifest["image"].iloc[wanted].str.removeprefix("image/")
    scenes = pd.read_parquet(root / "scenes.parquet").set_index("image").loc[list(names)].reset_index()
    size = settings.image_size
    pictures = np.empty((len(wanted), len(settings.views), size, size, 3), np.uint8)
    for made in rendered.render_views(scenes, settings.views, settings.rendered):
        pictures[made.row, settings.views.index(made.view)] = crop(made.picture, made.box, settings)
    return lambda positions, view: to_float(pictures[np.searchsorted(wanted, positions), view])
