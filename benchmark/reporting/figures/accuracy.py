"""Accuracy of models and versions: over the number of classes (Fig. 4 and 5), and the paper's tables as dots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmark.config.settings import Profile
from benchmark.reporting.exhibits import curves_table
from benchmark.reporting.fewshot import OVER_IMAGES, OVER_SEEDS
from benchmark.reporting.figures.canvas import (
    Drawing,
    Picture,
    Styles,
    bars,
    coverage,
    entries,
    label,
    legend,
    panels,
    pointed,
)
from benchmark.reporting.references import no_faces
from benchmark.reporting.tables import intervals, random_split
from benchmark.results.rates import ACCURACY
from models.registry import REFERENCE, TABLE_2

TITLES = {
    "joint_cross": "joint on other views",
    "joint": "joint (identity and view)",
    "top1": "top-1 (identity)",
    "top5": "top-5 (identity)",
    "view": "view",
}
FEW = 4  # panels up to which two stand side by side, otherwise three
SPREAD = 0.3  # of the smallest gap between two numbers of classes, so that bars stand side by side
SHOWS = (
    "Accuracy of the generated images over the number of classes N_c, random split: top-1 and top-5 ask for the "
    "identity, view for the target view, joint for both; joint on other views leaves out the input's own view, which a "
    "copy has. Each panel has a scale of its own, and the points of one N_c stand side by side."
)
BELOW, ABOVE = 0.02, 0.05  # of the highest value: room for markers and the ends of bars
GUESSES = {"top1": 1, "top5": 5}  # classes that may be named
GREY = "#777777"
UPRIGHT: dict[str, Any] = {"color": GREY, "marker": "|", "markersize": 12, "markeredgewidth": 2.5, "linestyle": ""}
DOTTED: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.2}
ROW = 0.27  # inches from one row of dots to the next
TITLE_AND_AXIS = 0.75  # inches of a panel's height that hold no row
TEXT_1 = (
    "Accuracy on real images of a classifier trained on a few real images of each class and on what each row adds to "
    "them. Black and grey: controls, which are no model."
)
TEXT_2 = (
    "Top-1 and top-5 accuracy of the versions of the model, random split. The numbers 28 and 56 name the connected map "
    "at 224 px."
)


def methods(identity: pd.DataFrame, settings: Profile, styles: Styles) -> Iterator[Drawing]:
    """Draw the methods with the controls: Fig. 4, for the nine views of faces Fig. 5, for own images neither."""
    path, table = curves_table(identity, settings.data)
    title, text = "Accuracy over the number of classes", f"{SHOWS} Dashed: controls, which are no model."
    if not settings.data.own:
        title = f"Figure {path[-1]}: {title.lower()}"
        text = f"{no_faces(settings, 'figure_5')} {text}".lstrip()
    yield from _over_nc(table, Picture(path, title, text), styles)


def versions(identity: pd.DataFrame, styles: Styles) -> Iterator[Drawing]:
    """Draw the rows of the paper's Table 2, if there is one beside the full model."""
    table = random_split(identity)
    rows = table[table["model"].isin(TABLE_2)]
    if set(rows["model"]) - {REFERENCE}:
        title = "The versions of Table 2 over the number of classes"
        yield from _over_nc(rows, Picture("figures/ablation_over_nc", title, SHOWS), styles)


def _over_nc(table: pd.DataFrame, picture: Picture, styles: Styles) -> Iterator[Drawing]:
    rates = [rate for rate in TITLES if table[rate].notna().any()]
    if not rates:
        return
    sizes, names = sorted(table["nc"].unique()), [name for name in styles if name in set(table["model"])]
    gaps = [after - before for before, after in pairwise(sizes)]
    width = SPREAD * min(gaps) if gaps else 1.0  # a number of classes alone gives the rows all its width
    shifts = [width * (n / (len(names) - 1) - 0.5) if len(names) > 1 else 0.0 for n in range(len(names))]
    columns = 2 if len(rates) <= FEW else 3
    figure, axes = panels(len(rates), columns, 2.9)
    for axis, rate in zip(axes, rates, strict=True):
        for name, shift in zip(names, shifts, strict=True):
            rows, given = table[table["model"] == name].sort_values("nc"), styles[name]
            style = pointed(given) | {"linestyle": given.line, "linewidth": 1.2}
            axis.errorbar(rows["nc"] + shift, rows[rate], bars(rows, rate), **style)
        axis.set(title=TITLES[rate], xticks=sizes, xticklabels=sizes)
        highest = float(np.nanmax(table[[rate, f"{rate}_ci_high"]].to_numpy(float))) or 1.0
        axis.set_ylim(-BELOW * highest, (1 + ABOVE) * highest)
    label(axes, columns, "number of classes N_c", "accuracy")
    legend(figure, entries(names, styles))
    yield Drawing(Picture(picture.path, picture.title, f"{picture.caption} {coverage(table)}"), figure)


@dataclass(frozen=True)
class Panel:
    """The content of one panel.

    Attributes:
        title: above it.
        rate: of the rows.
        rows: of the table.
        printed: the paper's numbers by model.
        chance: the rate of guessing.
    """

    title: str
    rate: str
    rows: pd.DataFrame
    printed: "pd.Series[float]"
    chance: float


def table_1(table: pd.DataFrame, published: pd.DataFrame | None, styles: Styles) -> Iterator[Drawing]:
    """Draw the few-shot accuracies, one panel for each number of shots."""
    if table[ACCURACY].isna().all():
        return
    sizes = table[["way", "shot"]].drop_duplicates().itertuples(index=False, name=None)
    parts = [
        Panel(
            f"{way}-way {shot}-shot",
            ACCURACY,
            table[table["shot"] == shot],
            _printed(published, metric=ACCURACY, way=way, shot=shot),
            1 / way,
        )
        for way, shot in sizes
    ]
    figure = _figure(parts, len(parts), {name: name for name in table["model"]}, styles)
    bar = intervals(table["n_seeds"], OVER_SEEDS, OVER_IMAGES)
    yield Drawing(Picture("paper/table_1", "Table 1: few-shot recognition", f"{TEXT_1} Bars: {bar}."), figure)


def table_2(table: pd.DataFrame, published: pd.DataFrame | None, styles: Styles) -> Iterator[Drawing]:
    """Draw top-1 and top-5 of the versions of the model, one column of panels for each number of classes."""
    rates = [rate for rate in GUESSES if table[rate].notna().any()]
    if not rates or not set(table["model"]) - {REFERENCE}:
        return
    sizes = sorted(table["nc"].unique())
    parts = [
        Panel(
            f"{TITLES[rate]}, {nc} classes",
            rate,
            table[table["nc"] == nc],
            _printed(published, metric=rate, nc=nc),
            GUESSES[rate] / nc,
        )
        for rate, nc in product(rates, sizes)
    ]
    labels = {name: paper for name, paper in TABLE_2.items() if name in set(table["model"])}
    figure = _figure(parts, len(sizes), labels, styles)
    yield Drawing(Picture("paper/table_2", "Table 2: what each part adds", f"{TEXT_2} {coverage(table)}"), figure)


def _figure(parts: Sequence[Panel], columns: int, labels: Mapping[str, str], styles: Styles) -> Figure:
    """Draw the rows of each panel from the top down; `labels` are their names by model, in their order."""
    names = list(labels)
    height = ROW * len(names) + TITLE_AND_AXIS
    figure, axes = panels(len(parts), columns, height, sharex="row", sharey=True)
    for axis, part in zip(axes, parts, strict=True):
        for name, own in part.rows.groupby("model"):
            row, style = [names.index(str(name))] * len(own), pointed(styles[str(name)])
            axis.errorbar(own[part.rate], row, xerr=bars(own, part.rate), linestyle="", **style)
        printed = part.printed[part.printed.index.isin(names)]
        axis.plot(printed, [names.index(str(name)) for name in printed.index], zorder=1, **UPRIGHT)
        axis.axvline(part.chance, zorder=0, **DOTTED)
        axis.set_title(part.title)
    axes[0].set(yticks=range(len(names)), yticklabels=labels.values(), ylim=(len(names) - 0.5, -0.5))
    for axis in axes:
        axis.set_xlim(left=0)
    label(axes, columns, "accuracy", "")
    shown = any(part.printed.index.isin(names).any() for part in parts)
    published = [Line2D([], [], label="published (CompCars, 224 px)", **UPRIGHT)] * shown
    legend(figure, [Line2D([], [], label="chance", **DOTTED), *published])
    return figure


def _printed(published: pd.DataFrame | None, **wanted: object) -> "pd.Series[float]":
    """Return the paper's numbers of a panel by model; none if nothing is to be drawn beside."""
    if published is None:
        return pd.Series(dtype=float)
    for column, value in wanted.items():
        published = published[published[column] == value]
    return published.set_index("model")["published"]
