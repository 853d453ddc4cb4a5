"""Accuracy over the number of classes (paper, Fig. 4 and 5)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes

from benchmark.reporting import curves
from benchmark.reporting.figures.layout import bars, coverage, entries, label, legend, panels, pointed
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import Look, Looks
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tables import random_split
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
    "copy has. Each panel has a scale of its own."
)


def methods(identity: pd.DataFrame, dataset: str, looks: Looks) -> Iterator[Drawing]:
    """Draw the methods with the controls: Fig. 4, for faces Fig. 5."""
    path, table = curves.exhibit(identity, dataset)
    title = f"Figure {path[-1]}: accuracy over the number of classes"
    yield from _over_nc(table, Picture(path, title, f"{SHOWS} Dashed: controls, which are no model."), looks)


def versions(identity: pd.DataFrame, looks: Looks) -> Iterator[Drawing]:
    """Draw the rows of the paper's Table 2, if there is one beside the full model."""
    table = random_split(identity)
    rows = table[table["model"].isin(TABLE_2)]
    if set(rows["model"]) - {REFERENCE}:
        title = "The versions of Table 2 over the number of classes"
        yield from _over_nc(rows, Picture("figures/ablation_over_nc", title, SHOWS), looks)


def _over_nc(table: pd.DataFrame, picture: Picture, looks: Looks) -> Iterator[Drawing]:
    rates = [rate for rate in TITLES if table[rate].notna().any()]
    if not rates:
        return
    sizes, names = sorted(table["nc"].unique()), [name for name in looks if name in set(table["model"])]
    columns = 2 if len(rates) <= FEW else 3
    figure, axes = panels(len(rates), columns, 2.9)
    for axis, rate in zip(axes, rates, strict=True):
        for name, shift in zip(names, _shifts(len(names), sizes), strict=True):
            _line(axis, table[table["model"] == name].sort_values("nc"), rate, shift, looks[name])
        axis.set(title=TITLES[rate], xticks=sizes, xticklabels=sizes)
        axis.set_ylim(bottom=0)
    label(axes, columns, "number of classes N_c", "accuracy")
    legend(figure, entries(names, looks))
    yield Drawing(Picture(picture.path, picture.title, f"{picture.caption} {coverage(table)}"), figure)


def _shifts(count: int, sizes: Sequence[int]) -> list[float]:
    """Return how far to the right each of `count` rows is drawn; a number of classes alone gives them all its width."""
    gaps = [after - before for before, after in pairwise(sizes)]
    width = SPREAD * min(gaps) if gaps else 1.0
    return [width * (n / (count - 1) - 0.5) if count > 1 else 0.0 for n in range(count)]


def _line(axis: Axes, rows: pd.DataFrame, rate: str, shift: float, look: Look) -> None:
    style = pointed(look) | {"linestyle": look.line, "linewidth": 1.2}
    axis.errorbar(rows["nc"] + shift, rows[rate], bars(rows, rate), **style)
