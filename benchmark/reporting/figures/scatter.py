"""Joint against view accuracy: on views other than the input's, and over all target views."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.figures.labels import name_points
from benchmark.reporting.figures.layout import bars, common_nc, coverage, label, panels, pointed
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import Looks
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tables import random_split

RATES = {  # view and joint, and over what they are
    ("view_cross", "joint_cross"): "on other views",
    ("view", "joint"): "all target views",
}
MARGIN = 0.15  # of the range of the intervals, around them, for the names
LEAST_MARGIN = 0.01


def draw(identity: pd.DataFrame, looks: Looks) -> Iterator[Drawing]:
    """Draw each row as a point, in a panel that names the controls and in one of the models alone, enlarged.

    Joint on other views is above, joint over all target views below, each over the view accuracy of the same targets.
    """
    table = random_split(identity).dropna(subset=["view", "joint"])
    if table.empty:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    control = rows["model"].isin(OF_IDENTITY)
    kinds = {"all, controls named": (rows, rows[control]), "models alone, enlarged": (rows[~control], rows[~control])}
    kinds = {title: each for title, each in kinds.items() if len(each[1])}
    parts = [
        _Part(f"{words}: {title}", kind[0].dropna(subset=[x, y]), kind[1].dropna(subset=[x, y]), x, y)
        for (x, y), words in RATES.items()
        for title, kind in kinds.items()
        if rows[y].notna().any()
    ]
    figure, axes = panels(len(parts), len(kinds), 4.0)
    for axis, part in zip(axes, parts, strict=True):
        _points(axis, part, looks)
    label(axes, len(kinds), "view accuracy", "joint accuracy")
    for axis, part in zip(axes, parts, strict=True):
        _names(figure, axis, part)
    text = (
        f"Share of the generated images whose view is right, and whose identity and view both are, {nc} classes, "
        "random split: above on target views other than the input's own, below on all. Each panel has a scale of its "
        f"own. {coverage(rows)}"
    )
    title = f"Joint accuracy over view accuracy, {nc} classes"
    yield Drawing(Picture("figures/joint_over_view", title, text), figure)


@dataclass(frozen=True)
class _Part:
    """What is drawn in one panel: points, those with names, and the rates across and upwards."""

    title: str
    points: pd.DataFrame
    named: pd.DataFrame
    x: str
    y: str


def _points(axis: Axes, part: _Part, looks: Looks) -> None:
    x, y = part.x, part.y
    for name, row in part.points.groupby("model"):
        axis.errorbar(row[x], row[y], yerr=bars(row, y), xerr=bars(row, x), linestyle="", **pointed(looks[str(name)]))
    axis.set(title=part.title, xlim=_range(part.points, x), ylim=_range(part.points, y))


def _range(rows: pd.DataFrame, rate: str) -> tuple[float, float]:
    low, high = rows[f"{rate}_ci_low"].min(), rows[f"{rate}_ci_high"].max()
    margin = max(LEAST_MARGIN, MARGIN * (high - low))
    return low - margin, high + margin


def _names(figure: Figure, axis: Axes, part: _Part) -> None:
    points, named, x, y = part.points, part.named, part.x, part.y
    across = points[[f"{x}_ci_low", y, f"{x}_ci_high", y]].to_numpy(float)
    upwards = points[[x, f"{y}_ci_low", x, f"{y}_ci_high"]].to_numpy(float)
    lines = [Bbox.from_extents(*corners) for corners in (*across, *upwards)]
    places = dict(zip(named["model"], zip(named[x], named[y], strict=True), strict=True))
    name_points(figure, axis, places, zip(points[x], points[y], strict=True), lines)
