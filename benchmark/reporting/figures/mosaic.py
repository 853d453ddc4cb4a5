"""Small images in rows and columns with labels, each pixel enlarged by a whole number."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from benchmark.reporting.figures.layout import text_width
from benchmark.reporting.figures.style import DPI

LEAST_SIDE, LARGEST_SIDE = 96, 128  # pixels of an image as drawn
TITLE, MARGIN, GAP = 45, 12, 10  # pixels; the gap is between a label and the images
WHITE = 255
ROW_FONT, COLUMN_FONT = 10.0, 9.0
LEAST_WIDTH = 620  # pixels, so that the title fits


def mosaic(tiles: NDArray[np.uint8], rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """Return a figure of images with a label on the left of each row and above each column.

    Images smaller than LEAST_SIDE are enlarged by a whole factor, those larger than LARGEST_SIDE reduced by one.

    Args:
        tiles: of shape (rows, columns, S, S, 3).
        rows: labels.
        columns: labels, which may have several lines.
    """
    pixels = joined(tiles := reduced(tiles))
    factor, side = max(1, LEAST_SIDE // tiles.shape[2]), tiles.shape[2]
    height, width = (factor * length for length in pixels.shape[:2])
    left = MARGIN + GAP + max(round(DPI * text_width(label, ROW_FONT)) for label in rows)
    font = min(COLUMN_FONT, *(COLUMN_FONT * factor * side / DPI / text_width(text, COLUMN_FONT) for text in columns))
    top = TITLE + GAP + max(text.count("\n") + 1 for text in columns) * round(1.3 * font * DPI / 72)
    whole_width, whole_height = max(LEAST_WIDTH, left + width + MARGIN), top + height + MARGIN
    # a hundredth of a pixel more, so that rounding never cuts one off
    figure = Figure(figsize=((whole_width + 0.01) / DPI, (whole_height + 0.01) / DPI))
    axis = figure.add_axes(
        (left / whole_width, MARGIN / whole_height, width / whole_width, height / whole_height), frameon=False
    )
    axis.imshow(pixels, interpolation="none", aspect="auto")
    step = side + _gap(side)
    axis.set_yticks([(n + 0.5) * step - 0.5 - _gap(side) / 2 for n in range(len(rows))], rows, fontsize=ROW_FONT)
    axis.set_xticks([(n + 0.5) * step - 0.5 - _gap(side) / 2 for n in range(len(columns))], columns, fontsize=font)
    axis.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=5)
    axis.grid(visible=False)
    return figure


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
