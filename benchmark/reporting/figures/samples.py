"""What the models make of the same inputs (paper, Fig. 6, 7 and 8), and every view of each model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.figures.mosaic import mosaic, reduced
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.pictures import Picture
from benchmark.results.rows import Samples
from models.registry import BUILT_IN

INPUT, CEILING = "input", "oracle"
PAPER = ("ours", "dr_gan", "cr_gan", "two_step")  # the rows of Fig. 6 and 7, in their order
FIGURE_8 = ("unet", "ours")
PIXELS = 120_000  # of the images of a figure, so that its SVG stays small
INPUTS_OF_FIGURE_8 = 2


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
        pixels = np.array([[self._pixels(tile) for tile in row] for row in tiles])
        lines = [text.replace("_", "\n") for text in columns]
        return Drawing(picture, mosaic(pixels, rows, lines), self._content(tiles))

    def _pixels(self, tile: Tile) -> NDArray[np.uint8]:
        grids = self.samples.grids
        if tile.shows == INPUT:
            return np.asarray(next(iter(grids.values()))[tile.input, 0], np.uint8)
        return np.asarray(grids[tile.shows][tile.input, 1 + self.views.index(tile.view)], np.uint8)

    def _content(self, tiles: Sequence[Sequence[Tile]]) -> pd.DataFrame:
        placed = [
            {"row": row, "column": column, "shows": tile.shows, "input": tile.input, "view": tile.view}
            for row, line in enumerate(tiles, 1)
            for column, tile in enumerate(line, 1)
        ]
        inputs = self.samples.inputs.rename(columns={"row": "input", "view": "input_view"})
        columns = ["row", "column", "shows", "image", "identity", "input_view", "view"]
        return pd.DataFrame(placed).merge(inputs, on="input", how="left")[columns]


def _compared(samples: Samples) -> list[str]:
    """Return the models of Fig. 6 and 7 that there are, a user's own ones, and the true pictures."""
    own = [name for name in samples.grids if name not in BUILT_IN and name not in OF_IDENTITY]
    return [name for name in (*PAPER, *own, CEILING) if name in samples.grids]


def by_model(samples: Samples, views: Sequence[str], faces: bool) -> Iterator[Drawing]:
    """Draw the models side by side: for faces all views of one input (Fig. 7), else one view of each input (Fig. 6)."""
    names, gallery = _compared(samples), Gallery(samples, views)
    if set(names) - {CEILING} and gallery.inputs:
        yield _figure_7(gallery, names) if faces else _figure_6(gallery, names)


def _figure_6(gallery: Gallery, names: Sequence[str]) -> Drawing:
    inputs, views = gallery.fitting(1 + len(names)), gallery.views
    wanted = [_other(views, view, place) for place, (_, view) in enumerate(inputs)]
    tiles = [[Tile(INPUT, row, view) for row, view in inputs]]
    tiles += [[Tile(name, row, view) for (row, _), view in zip(inputs, wanted, strict=True)] for name in names]
    text = (
        "Each column: an input, and what each model makes of it when asked for the view above. figure_6.csv says which "
        f"image each column shows.{_ceiling(names)}"
    )
    picture = Picture("paper/figure_6", "Figure 6: the models side by side", text)
    return gallery.drawing(picture, tiles, [INPUT, *names], wanted)


def _other(views: Sequence[str], own: str, place: int) -> str:
    """Return a view that is not the input's own, further away from input to input."""
    return views[(views.index(own) + 1 + place % (len(views) - 1)) % len(views)]


def _figure_7(gallery: Gallery, names: Sequence[str]) -> Drawing:
    middle = gallery.views[len(gallery.views) // 2]
    row, view = next((each for each in gallery.inputs if each[1] == middle), gallery.inputs[0])
    tiles = [gallery.whole(name, row, view) for name in names]
    text = f"Each row: the same input ({view}), and what a model makes of it for every view.{_ceiling(names)}"
    picture = Picture("paper/figure_7", "Figure 7: every view of one input", text)
    return gallery.drawing(picture, tiles, names, [INPUT, *gallery.views])


def _ceiling(names: Sequence[str]) -> str:
    return f" The row {CEILING} holds the true pictures." if CEILING in names else ""


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
        drawing = gallery.drawing(picture, tiles, [_short(str(identities[row])) for row, _ in inputs], [INPUT, *views])
        yield Drawing(drawing.picture, drawing.figure)


LONGEST = 24  # letters of an identity


def _short(identity: str) -> str:
    return identity if len(identity) <= LONGEST else f"…{identity[1 - LONGEST :]}"
