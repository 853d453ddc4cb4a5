"""Small images of equal size in one PNG file, without a gap between them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.files import reading, replacing

Tiles = NDArray[np.uint8]  # (rows, columns, S, S, 3)


def write(tiles: Tiles, path: Path) -> None:
    """Write the images row by row."""
    rows, columns, side = tiles.shape[:3]
    pixels = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * side, columns * side, 3)
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")


def read(path: Path, side: int) -> Tiles:
    """Return the images, each `side` pixels wide and high.

    Raises:
        BenchmarkError: the file is missing or damaged, or holds no whole number of images.
    """
    with reading(path), Image.open(path, formats=["PNG"]) as picture:
        pixels = np.asarray(picture.convert("RGB"))
        rows, columns = (length // side for length in pixels.shape[:2])
        return pixels.reshape(rows, side, columns, side, 3).transpose(0, 2, 1, 3, 4)
