"""Grids of input images and what a generator makes of them."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_uint8
from benchmark.data.tiles import Tiles
from benchmark.evaluation.generate import Generate, Positions, inputs
from benchmark.files import replacing

LEAST_SIDE = 96  # pixels of one image in the grid; smaller images are enlarged by a whole factor


def sample_positions(store: ImageStore, views: int, rows: int) -> Positions:
    """Return positions of `rows` standard images of different identities, showing the views in turn where possible."""
    table = store.manifest.iloc[store.subset("standard")].reset_index()
    names = sorted(table["identity"].unique())
    spread = [names[round(n)] for n in np.linspace(0, len(names) - 1, min(rows, len(names)))]
    chosen = []
    for n, name in enumerate(spread):
        own = table[table["identity"] == name]
        wanted = own[own["view_label"] == n % views]
        chosen.append(int((wanted if len(wanted) else own)["index"].iloc[0]))
    return np.array(chosen, np.int64)


def sample_columns(generate: Generate, store: ImageStore, views: int, positions: Positions) -> list[Tensor]:
    """Return the inputs, then what is made of them for each view in order: tensors (B, 3, S, S) in [-1, 1]."""
    return [inputs(store, positions), *(generate(positions, view).cpu() for view in range(views))]


def tiles(columns: list[Tensor]) -> Tiles:
    """Return columns of images as uint8 of shape (rows, columns, S, S, 3)."""
    return np.stack([to_uint8(column) for column in columns], axis=1)


def save_columns(columns: list[Tensor], path: Path) -> None:
    """Write a PNG whose columns are image tensors of shape (rows, 3, S, S) in [-1, 1]."""
    size = columns[0].shape[-1]
    enlarged = torch.stack(columns, 1).flatten(0, 1).repeat_interleave(factor := max(1, LEAST_SIDE // size), 2)
    grid = make_grid(enlarged.repeat_interleave(factor, 3), nrow=len(columns), padding=4, pad_value=1.0)
    with replacing(path) as temporary:
        Image.fromarray(to_uint8(grid[None])[0]).save(temporary, "PNG")
