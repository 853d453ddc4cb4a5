"""The numbers of the paper's tables as dots with intervals."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmark.reporting import fewshot
from benchmark.reporting.figures.accuracy import TITLES
from benchmark.reporting.figures.layout import bars, coverage, label, legend, panels, pointed
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import Looks
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tables import intervals
from models.registry import REFERENCE, TABLE_2

GUESSES = {"top1": 1, "top5": 5}  # classes that may be named
GREY = "#777777"
HOLLOW: dict[str, Any] = {"color": GREY, "markerfacecolor": "none", "marker": "D", "markersize": 7, "linestyle": ""}
DOTTED: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.2}
ROW = 0.27  # inches from one row of dots to the next
TITLE_AND_AXIS = 0.75  # inches of a panel's height that hold no row


def table_1(table: pd.DataFrame, published: pd.DataFrame | None, looks: Looks) -> Iterator[Drawing]:
    """Draw the few-shot accuracies, one panel for each number of shots."""
    if table[fewshot.RATE].isna().all():
        return
    names = list(dict.fromkeys(table["model"]))
    sizes = list(table[["way", "shot"]].drop_duplicates().itertuples(index=False, name=None))
    figure, axes = panels(len(sizes), len(sizes), ROW * len(names) + TITLE_AND_AXIS, sharex=True, sharey=True)
    printed = [_printed(published, names, metric=fewshot.RATE, way=way, shot=shot) for way, shot in sizes]
    for axis, (way, shot), numbers in zip(axes, sizes, printed, strict=True):
        _dots(axis, table[table["shot"] == shot], fewshot.RATE, names, looks)
        _marks(axis, numbers, names, 1 / way)
        axis.set_title(f"{way}-way {shot}-shot")
    _name_rows(axes, names, len(sizes))
    legend(figure, _explained(printed))
    bar = intervals(table["n_seeds"], fewshot.OVER_SEEDS, fewshot.OVER_IMAGES)
    text = (
        "Accuracy on real images of a classifier trained on a few real images of each class and on what each row adds "
        f"to them. Grey: controls, which are no model. Bars: {bar}."
    )
    yield Drawing(Picture("paper/table_1", "Table 1: few-shot recognition", text), figure)


def table_2(table: pd.DataFrame, published: pd.DataFrame | None, looks: Looks) -> Iterator[Drawing]:
    """Draw top-1 and top-5 of the versions of the model, one column of panels for each number of classes."""
    rates = [rate for rate in GUESSES if table[rate].notna().any()]
    names = [name for name in TABLE_2 if name in set(table["model"])]
    if not rates or not set(names) - {REFERENCE}:
        return
    sizes, height = sorted(table["nc"].unique()), ROW * len(names) + TITLE_AND_AXIS
    cells = [(rate, nc) for rate in rates for nc in sizes]
    figure, axes = panels(len(cells), len(sizes), height, sharex="row", sharey=True)
    printed = [_printed(published, names, metric=rate, nc=nc) for rate, nc in cells]
    for axis, (rate, nc), numbers in zip(axes, cells, printed, strict=True):
        _dots(axis, table[table["nc"] == nc], rate, names, looks)
        _marks(axis, numbers, names, GUESSES[rate] / nc)
        axis.set_title(f"{TITLES[rate]}, {nc} classes")
    _name_rows(axes, [TABLE_2[name] for name in names], len(sizes))
    legend(figure, _explained(printed))
    text = (
        "Top-1 and top-5 accuracy of the versions of the model, random split. The numbers 28 and 56 name the connected "
        f"map at 224 px. {coverage(table)}"
    )
    yield Drawing(Picture("paper/table_2", "Table 2: what each part adds", text), figure)


def _printed(published: pd.DataFrame | None, names: Sequence[str], **wanted: object) -> "pd.Series[float]":
    """Return the paper's numbers of the rows drawn in a panel, by model."""
    if published is None:
        return pd.Series(dtype=float)
    rows = published[published["model"].isin(names)]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows.set_index("model")["published"]


def _dots(axis: Axes, rows: pd.DataFrame, rate: str, names: Sequence[str], looks: Looks) -> None:
    for name, own in rows.groupby("model"):
        place = [names.index(str(name))] * len(own)
        axis.errorbar(own[rate], place, xerr=bars(own, rate), linestyle="", **pointed(looks[str(name)]))


def _marks(axis: Axes, printed: "pd.Series[float]", names: Sequence[str], chance: float) -> None:
    axis.plot(printed, [names.index(str(name)) for name in printed.index], zorder=1, **HOLLOW)
    axis.axvline(chance, zorder=0, **DOTTED)


def _name_rows(axes: Sequence[Axes], names: Sequence[str], columns: int) -> None:
    """Name the rows from the top down, and the axes."""
    axes[0].set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    for axis in axes:
        axis.set_xlim(left=0)
    label(axes, columns, "accuracy", "")


def _explained(printed: Sequence["pd.Series[float]"]) -> list[Artist]:
    """Return the legend's entries of what is no row."""
    published = [Line2D([], [], label="published (CompCars, 224 px)", **HOLLOW)]
    return [Line2D([], [], label="chance", **DOTTED), *published * any(map(len, printed))]
