"""Figures of samples: all models on the same inputs (paper, Fig. 6, 7 and 8), and every view of each model."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from benchmark.config.settings import Profile
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.figures.canvas import DPI, Drawing, Picture, text_width
from benchmark.reporting.references import FACES, counterpart, no_faces
from benchmark.results.rows import Samples
from models.registry import BUILT_IN

INPUT, TRUE = "input", "oracle"
PAPER = ("ours", "dr_gan", "cr_gan", "two_step")  # the rows of Fig. 6 and 7, in their order
METHODS = (*PAPER, "unet", "vanilla")  # the rows of the figure of all methods
FIGURE_8 = ("unet", "ours")
PIXELS = 120_000  # of the images of a figure, so that its SVG stays small
INPUTS_OF_FIGURE_8 = 2
BESIDE = 12  # images in a row of the figure of all methods
LONGEST = 24  # letters of an identity

LEAST_SIDE, LARGEST_SIDE = 96, 128  # pixels of an image as drawn
TITLE, MARGIN, GAP = 45, 12, 10  # pixels; the gap is between a label and the images
WHITE = 255
ROW_FONT, COLUMN_FONT = 10.0, 9.0
LINE = 1.3 * DPI / 72  # pixels from one line to the next, for each point of the font
LEAST_WIDTH = 700  # pixels, so that the title fits
ROUNDING = 0.01  # pixels more, so that rounding never cuts one off


@dataclass(frozen=True)
class Tile:
    """One image of a figure.

    Attributes:
        shows: the model it is of, or INPUT.
        input: row of the inputs.
        view: the view it should show, for an input its own.
    """

    shows: str
    input: int
    view: str


@dataclass(frozen=True)
class Gallery:
    """Inputs, and what the models make of them.

    Attributes:
        samples: as stored.
        views: names of the views in their order.
    """

    samples: Samples
    views: Sequence[str]

    @property
    def inputs(self) -> list[tuple[int, str]]:
        """Row and view of each input."""
        table = self.samples.inputs
        return [(int(row), str(view)) for row, view in zip(table["row"], table["view"], strict=True)]

    def fitting(self, beside: int) -> list[tuple[int, str]]:
        """Return as many inputs as fit into PIXELS, two at least, each with so many images."""
        side = reduced(next(iter(self.samples.grids.values()))).shape[2]
        return self.inputs[: max(2, PIXELS // (beside * side**2))]

    def whole(self, model: str, row: int, view: str) -> list[Tile]:
        """Return an input and all its views."""
        return [Tile(INPUT, row, view), *(Tile(model, row, wanted) for wanted in self.views)]

    def drawing(
        self, picture: Picture, tiles: Sequence[Sequence[Tile]], rows: Sequence[str], columns: Sequence[str]
    ) -> Drawing:
        """Return tiles with their labels, and with what each is."""
        lines = [text.replace("_", "\n") for text in columns]
        inputs = self.samples.inputs.rename(columns={"row": "input", "view": "input_view"})
        placed, pixels = [], []
        for row, line in enumerate(tiles, 1):
            pixels.append([self._pixels(tile) for tile in line])
            placed += [{"row": row, "column": column, **vars(tile)} for column, tile in enumerate(line, 1)]
        names = ["row", "column", "shows", "image", "identity", "input_view", "view"]
        content = pd.DataFrame(placed).merge(inputs, on="input", how="left")[names]
        return Drawing(picture, mosaic(np.array(pixels), rows, lines), content)

    def _pixels(self, tile: Tile) -> NDArray[np.uint8]:
        grids = self.samples.grids
        if tile.shows == INPUT:
            return np.asarray(next(iter(grids.values()))[tile.input, 0], np.uint8)
        return np.asarray(grids[tile.shows][tile.input, 1 + self.views.index(tile.view)], np.uint8)


def by_model(samples: Samples, settings: Profile) -> Iterator[Drawing]:
    """Draw the models, a user's own ones too, and the true pictures side by side.

    For the nine views of faces these are all views of one input (Fig. 7), else one view of each input (Fig. 6).
    """
    names = _beside_true(samples, PAPER)
    gallery = Gallery(samples, settings.data.views)
    if set(names) - {TRUE} and gallery.inputs:
        faces = counterpart(settings.data) == FACES
        yield _figure_7(gallery, names, no_faces(settings, "figure_7")) if faces else _figure_6(gallery, names)


def every_method(samples: Samples, views: Sequence[str]) -> Iterator[Drawing]:
    """Draw every view of the first inputs by the methods, a user's own ones too, above the true pictures."""
    names = _beside_true(samples, METHODS)
    gallery = Gallery(samples, views)
    inputs = gallery.inputs[: max(1, BESIDE // (1 + len(views)))]
    if set(names) - {TRUE} and inputs:
        text = f"Each row: inputs, and what a model makes of each for every view.{_about_true(names)}"
        picture = Picture("figures/methods", "Every view by every method", text)
        yield _in_rows(gallery, picture, names, inputs)


def _beside_true(samples: Samples, built_in: Sequence[str]) -> list[str]:
    """Return those of the built-in models that have samples, a user's own ones, and the true pictures."""
    own = [name for name in samples.grids if name not in BUILT_IN and name not in OF_IDENTITY]
    return [name for name in (*built_in, *own, TRUE) if name in samples.grids]


def _figure_6(gallery: Gallery, names: Sequence[str]) -> Drawing:
    inputs, views = gallery.fitting(1 + len(names)), gallery.views
    steps = [1 + n % (len(views) - 1) for n in range(len(inputs))]  # to another view, further from input to input
    wanted = [views[(views.index(own) + step) % len(views)] for step, (_, own) in zip(steps, inputs, strict=True)]
    tiles = [[Tile(INPUT, row, view) for row, view in inputs]]
    tiles += [[Tile(name, row, view) for (row, _), view in zip(inputs, wanted, strict=True)] for name in names]
    text = (
        "Each column: an input, and what each model makes of it when asked for the view above. figure_6.csv says which "
        f"image each column shows.{_about_true(names)}"
    )
    picture = Picture("paper/figure_6", "Figure 6: the models side by side", text)
    return gallery.drawing(picture, tiles, [INPUT, *names], wanted)


def _figure_7(gallery: Gallery, names: Sequence[str], note: str) -> Drawing:
    middle = gallery.views[len(gallery.views) // 2]
    row, view = next((each for each in gallery.inputs if each[1] == middle), gallery.inputs[0])
    text = f"Each row: the same input ({view}), and what a model makes of it for every view.{_about_true(names)}"
    picture = Picture("paper/figure_7", "Figure 7: every view of one input", f"{note} {text}".lstrip())
    return _in_rows(gallery, picture, names, [(row, view)])


def _in_rows(gallery: Gallery, picture: Picture, names: Sequence[str], inputs: Sequence[tuple[int, str]]) -> Drawing:
    """Return a row for each model: each input, then all its views."""
    tiles = [[tile for row, view in inputs for tile in gallery.whole(name, row, view)] for name in names]
    return gallery.drawing(picture, tiles, names, [INPUT, *gallery.views] * len(inputs))


def _about_true(names: Sequence[str]) -> str:
    return f" The row {TRUE} holds the true pictures." if TRUE in names else ""


def figure_8(samples: Samples, views: Sequence[str]) -> Iterator[Drawing]:
    """Draw all views by the U-net and by the full model, where both are there."""
    gallery = Gallery(samples, views)
    if set(FIGURE_8) <= set(samples.grids):
        inputs = gallery.inputs[:INPUTS_OF_FIGURE_8]
        tiles = [gallery.whole(name, row, view) for row, view in inputs for name in FIGURE_8]
        text = "For each input: what the U-net (above) and the full model (below) make of it for every view."
        picture = Picture("paper/figure_8", "Figure 8: U-net and the full model", text)
        yield gallery.drawing(picture, tiles, FIGURE_8 * len(inputs), [INPUT, *views])


def of_each_model(samples: Samples, views: Sequence[str], names: Sequence[str]) -> Iterator[Drawing]:
    """Draw inputs and all views for each of the names that has samples."""
    gallery = Gallery(samples, views)
    for name in (name for name in names if name in samples.grids):
        inputs = gallery.fitting(1 + len(views))
        identities = gallery.samples.inputs.set_index("row")["identity"]
        tiles = [gallery.whole(name, row, view) for row, view in inputs]
        text = f"Each row: an input of the identity at its left, and what {name} makes of it for every view."
        picture = Picture(f"figures/samples_{name}", f"Every view by {name}", text)
        of = [str(identities[row]) for row, _ in inputs]
        short = [each if len(each) <= LONGEST else f"{each[: LONGEST // 2]}…{each[1 - LONGEST // 2 :]}" for each in of]
        drawing = gallery.drawing(picture, tiles, short, [INPUT, *views])
        yield Drawing(drawing.picture, drawing.figure)


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
    pixels = joined(tiles)
    height, width = (factor * length for length in pixels.shape[:2])
    whole = np.array([max(LEAST_WIDTH, left + width + MARGIN), top + height + MARGIN])
    figure = Figure(figsize=tuple((whole + ROUNDING) / DPI))
    corner, size = np.array([left, MARGIN]) / whole, np.array([width, height]) / whole
    axis = figure.add_axes((*corner, *size), frameon=False)
    axis.imshow(pixels, interpolation="none", aspect="auto")
    axis.grid(visible=False)
    middles = [n * (side + _gap(side)) + (side - 1) / 2 for n in range(max(len(rows), len(columns)))]
    axis.set_yticks(middles[: len(rows)], rows, fontsize=ROW_FONT)
    axis.set_xticks(middles[: len(columns)], columns, fontsize=font)
    axis.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=5)
    return figure


def _width(text: str, font: float) -> int:
    return math.ceil(DPI * text_width(text, font))


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
