"""Panels, legends and widths of text."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from benchmark.evaluation.statistics import SEEDS_FOR_T, covers
from benchmark.reporting.figures.style import Look, Looks
from benchmark.reporting.tables import intervals

WIDTH = 9.0  # inches: as wide as a column of text, so that letters keep their size
Share = bool | Literal["none", "all", "row", "col"]
LINE = 0.22  # inches from one line of a legend to the next
HANDLE = 0.6  # inches of a legend's marker and the gaps beside it


def panels(
    count: int, columns: int, height: float, sharex: Share = False, sharey: Share = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure WIDTH wide with `count` panels, each `height` inches high, in rows of `columns`."""
    lines = -(-count // columns)
    figure = Figure(figsize=(WIDTH, lines * height + 0.3), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False, sharex=sharex, sharey=sharey).flat)
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count]


def label(axes: Sequence[Axes], columns: int, x: str, y: str) -> None:
    """Name what is across and what is upwards, at the lowest panel of each column and the leftmost panels."""
    for axis in axes[-columns:]:
        axis.set_xlabel(x)
        axis.tick_params(labelbottom=True)
    for axis in axes[::columns]:
        axis.set_ylabel(y)


def legend(figure: Figure, entries: Sequence[Artist]) -> None:
    """Put a legend below the panels, in as many columns as fit, and make the figure higher by it."""
    widest = max(text_width(str(entry.get_label()), 9) for entry in entries) + HANDLE
    columns = max(1, min(len(entries), int(figure.get_figwidth() / widest)))
    lines = -(-len(entries) // columns)
    figure.set_figheight(figure.get_figheight() + LINE * lines + 0.1)
    by_line = [entry for first in range(columns) for entry in entries[first::columns]]  # it is filled by column
    figure.legend(handles=by_line, loc="outside lower center", ncols=columns)


def entries(names: Iterable[str], looks: Looks, lines: bool = True) -> list[Artist]:
    """Return the legend's entries of rows, with their lines or as markers alone."""
    wanted = set(names)
    return [
        Line2D([], [], label=name, linestyle=look.line if lines else "", **_coloured(look))
        for name, look in looks.items()
        if name in wanted
    ]


def text_width(text: str, size: float) -> float:
    """Return the width of the longest line of a text in inches; `size` is of the font, in points."""
    return max(float(TextPath((0, 0), line, size=size).get_extents().width) for line in text.split("\n")) / 72


def bars(rows: pd.DataFrame, rate: str) -> list[pd.Series]:
    """Return how far the interval of a rate reaches below and above it, as `Axes.errorbar` takes it."""
    below, above = rows[rate] - rows[f"{rate}_ci_low"], rows[f"{rate}_ci_high"] - rows[rate]
    return [below.clip(lower=0), above.clip(lower=0)]


def pointed(look: Look) -> dict[str, Any]:
    """Return the look of points with error bars, as `Axes.errorbar` takes it."""
    return {"markersize": 5, "capsize": 2, "elinewidth": 1, **_coloured(look)}


def _coloured(look: Look) -> dict[str, Any]:
    return {"color": look.colour, "marker": look.marker, "markerfacecolor": look.face}


def coverage(rows: pd.DataFrame) -> str:
    """Return in words what the intervals of rows of the identity table cover."""
    return f"Bars: {intervals(rows['n_seeds'], covers(SEEDS_FOR_T), covers(1))}."


def common_nc(table: pd.DataFrame) -> int:
    """Return the number of classes for which most models are measured, the smallest if there are several."""
    models = table.groupby("nc")["model"].nunique()
    return int(models.index[models == models.max()].min())
