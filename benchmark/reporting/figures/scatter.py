"""Joint accuracy against view accuracy."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.figures.labels import name_points
from benchmark.reporting.figures.layout import bars, common_nc, coverage, panels, pointed
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import Looks
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tables import random_split

X, Y = "view", "joint"
MARGIN = 0.15  # of the range of the intervals, around them, for the names
LEAST_MARGIN = 0.01


def draw(identity: pd.DataFrame, looks: Looks) -> Iterator[Drawing]:
    """Draw each row as a point, in a panel that names the controls and in one of the models alone, enlarged."""
    table = random_split(identity).dropna(subset=[X, Y])
    if table.empty:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    control = rows["model"].isin(OF_IDENTITY)
    parts = {"all, controls named": (rows, rows[control]), "models alone, enlarged": (rows[~control], rows[~control])}
    parts = {title: (points, named) for title, (points, named) in parts.items() if len(named)}
    figure, axes = panels(len(parts), len(parts), 4.4)
    for axis, (title, (points, _)) in zip(axes, parts.items(), strict=True):
        _points(axis, points, looks)
        axis.set(title=title, xlabel="view accuracy", xlim=_range(points, X), ylim=_range(points, Y))
    axes[0].set_ylabel("joint accuracy")
    for axis, (points, named) in zip(axes, parts.values(), strict=True):
        _names(figure, axis, points, named)
    text = (
        f"Share of the generated images whose view is right, and whose identity and view both are, {nc} classes, "
        f"random split. Each panel has a scale of its own. {coverage(rows)}"
    )
    title = f"Joint accuracy over view accuracy, {nc} classes"
    yield Drawing(Picture("figures/joint_over_view", title, text), figure)


def _points(axis: Axes, rows: pd.DataFrame, looks: Looks) -> None:
    for name, row in rows.groupby("model"):
        axis.errorbar(row[X], row[Y], yerr=bars(row, Y), xerr=bars(row, X), linestyle="", **pointed(looks[str(name)]))


def _range(rows: pd.DataFrame, rate: str) -> tuple[float, float]:
    low, high = rows[f"{rate}_ci_low"].min(), rows[f"{rate}_ci_high"].max()
    margin = max(LEAST_MARGIN, MARGIN * (high - low))
    return low - margin, high + margin


def _names(figure: Figure, axis: Axes, points: pd.DataFrame, named: pd.DataFrame) -> None:
    across = points[[f"{X}_ci_low", Y, f"{X}_ci_high", Y]].to_numpy(float)
    upwards = points[[X, f"{Y}_ci_low", X, f"{Y}_ci_high"]].to_numpy(float)
    lines = [Bbox.from_extents(*corners) for corners in (*across, *upwards)]
    places = dict(zip(named["model"], zip(named[X], named[Y], strict=True), strict=True))
    name_points(figure, axis, places, zip(points[X], points[Y], strict=True), lines)
