"""Small images in rows and columns with labels, each pixel enlarged by a whole number."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from benchmark.reporting.figures.layout import text_width
from benchmark.reporting.figures.style import DPI

LEAST_SIDE, LARGEST_SIDE = 96, 128  # pixels of an image as drawn
TITLE, MARGIN, GAP = 45, 12, 10  # pixels; the gap is between a label and the images
WHITE = 255
ROW_FONT, COLUMN_FONT = 10.0, 9.0
LINE = 1.3 * DPI / 72  # pixels from one line to the next, for each point of the font
LEAST_WIDTH = 700  # pixels, so that the title fits
ROUNDING = 0.01  # pixels more, so that rounding never cuts one off


def mosaic(tiles: NDArray[np.uint8], rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """Return a figure of images with a label on the left of each row and above each column.

    Images smaller than LEAST_SIDE are enlarged by a whole factor, those larger than LARGEST_SIDE reduced by one.

    Args:
        tiles: of shape (rows, columns, S, S, 3).
        rows: labels.
        columns: labels, which may have several lines.
    """
    tiles = reduced(tiles)
    side, factor = tiles.shape[2], max(1, LEAST_SIDE // tiles.shape[2])
    font = min(COLUMN_FONT, *(COLUMN_FONT * factor * side / _width(text, COLUMN_FONT) for text in columns))
    left = MARGIN + GAP + max(_width(label, ROW_FONT) for label in rows)
    top = TITLE + GAP + max(text.count("\n") + 1 for text in columns) * round(LINE * font)
    figure, axis = _framed(joined(tiles), factor, left, top)
    axis.set_yticks(_middles(len(rows), side), rows, fontsize=ROW_FONT)
    axis.set_xticks(_middles(len(columns), side), columns, fontsize=font)
    axis.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=5)
    return figure


def _framed(pixels: NDArray[np.uint8], factor: int, left: int, top: int) -> tuple[Figure, Axes]:
    """Return a figure of an image, each of its pixels `factor` wide and high; `left` and `top` are free."""
    height, width = (factor * length for length in pixels.shape[:2])
    whole = np.array([max(LEAST_WIDTH, left + width + MARGIN), top + height + MARGIN])
    figure = Figure(figsize=tuple((whole + ROUNDING) / DPI))
    corner, size = np.array([left, MARGIN]) / whole, np.array([width, height]) / whole
    axis = figure.add_axes((*corner, *size), frameon=False)
    axis.imshow(pixels, interpolation="none", aspect="auto")
    axis.grid(visible=False)
    return figure, axis


def _width(text: str, font: float) -> int:
    return math.ceil(DPI * text_width(text, font))


def _middles(count: int, side: int) -> list[float]:
    """Return the middles of images that stand side by side."""
    return [n * (side + _gap(side)) + (side - 1) / 2 for n in range(count)]


def reduced(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images no larger than LARGEST_SIDE, each pixel the mean of a square of them where they were larger."""
    factor = -(-tiles.shape[2] // LARGEST_SIDE)
    if factor == 1:
        return tiles
    smaller = [[np.asarray(Image.fromarray(tile).reduce(factor)) for tile in row] for row in tiles]
    return np.array(smaller, np.uint8)


def joined(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as one, of shape (height, width, 3), with white gaps between them."""
    rows, columns, side = tiles.shape[:3]
    gap = _gap(side)
    framed = np.pad(tiles, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)), constant_values=WHITE)
    whole = framed.transpose(0, 2, 1, 3, 4).reshape(rows * (side + gap), columns * (side + gap), 3)
    return whole[:-gap, :-gap]


def _gap(side: int) -> int:
    return max(1, side // 24)
