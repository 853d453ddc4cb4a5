"""Grids of input images and what a generator makes of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.utils import make_grid

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_uint8
from benchmark.data.tiles import Tiles
from benchmark.evaluation.generate import Generate, Positions, inputs
from benchmark.files import replacing

GAP, LETTERS, LONGEST = 4, 12, 200  # pixels between images, of letters, and of the longest name
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


def save_columns(columns: list[Tensor], path: Path, heads: Sequence[str] = (), names: Sequence[str] = ()) -> None:
    """Write a PNG whose columns are image tensors of shape (rows, 3, S, S) in [-1, 1].

    Args:
        columns: the images.
        path: of the PNG.
        heads: what stands above each column.
        names: what stands beside each row; long ones lose their beginning.
    """
    size = columns[0].shape[-1]
    enlarged = torch.stack(columns, 1).flatten(0, 1).repeat_interleave(factor := max(1, LEAST_SIDE // size), 2)
    grid = make_grid(enlarged.repeat_interleave(factor, 3), nrow=len(columns), padding=GAP, pad_value=1.0)
    image, step, font = Image.fromarray(to_uint8(grid[None])[0]), size * factor + GAP, ImageFont.load_default(LETTERS)

    def fitting(text: str, width: int) -> str:
        while font.getlength(text) > width and len(text) > 1:
            text = f"…{text[2:]}"
        return text

    names = [fitting(name, LONGEST) for name in names]
    left = round(max(map(font.getlength, names), default=-GAP)) + GAP
    top = LETTERS + 2 * GAP if heads else 0
    labelled = Image.new("RGB", (left + image.width, top + image.height), "white")
    labelled.paste(image, (left, top))
    draw = ImageDraw.Draw(labelled)
    for n, head in enumerate(heads):
        middle = left + GAP / 2 + (n + 0.5) * step
        draw.text((middle, top), fitting(head, step), fill="black", font=font, anchor="md")
    for n, name in enumerate(names):
        draw.text((left, top + GAP / 2 + (n + 0.5) * step), name, fill="black", font=font, anchor="rm")
    with replacing(path) as temporary:
        labelled.save(temporary, "PNG")
