"""Joint against view accuracy, on views other than the input's and over all target views, with the models' names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.figures.canvas import (
    Drawing,
    Picture,
    Styles,
    bars,
    common_nc,
    coverage,
    label,
    panels,
    pointed,
    text_width,
)
from benchmark.reporting.tables import random_split

RATES = {  # view and joint, and over what they are
    ("view_cross", "joint_cross"): "on other views",
    ("view", "joint"): "all target views",
}
MARGIN = 0.15  # of the range of the intervals, around them, for the names
LEAST_MARGIN = 0.01

SIZE = 8.5  # of the letters of names; all lengths from here on are in points
HEIGHT = 1.3 * SIZE  # of a line
GAP = 2  # left and right of a name
DISTANCES = (9, 16, 25, 36, 50, 66)  # of a name from its point
ANGLES = (0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200)  # in degrees, those tried first come first
NEAR = 16  # from here on a line leads to the point
POINT = 3.0  # half the side of what a point covers
LINE = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}

Point = tuple[float, float]


@dataclass(frozen=True)
class _Part:
    """The content of one panel: points, those with names, and the rates across and upwards."""

    title: str
    points: pd.DataFrame
    named: pd.DataFrame
    x: str
    y: str


def draw(identity: pd.DataFrame, styles: Styles) -> Iterator[Drawing]:
    """Draw each row as a point, and enlarged those models alone that have at least half of the best model's rate.

    Joint on other views is above, joint over all target views below, each over the view accuracy of the same targets.
    """
    table = random_split(identity).dropna(subset=["view", "joint"])
    if table.empty:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    rates = rows["joint_cross"].fillna(rows["joint"]).where(~rows["model"].isin(OF_IDENTITY))
    best = rates >= rates.max() / 2
    kinds = {"all": (rows, rows[~best]), "the best models, enlarged": (rows[best], rows[best])}
    kinds = {title: each for title, each in kinds.items() if len(each[1])}
    parts = [
        _Part(f"{words}: {title}", kind[0].dropna(subset=[x, y]), kind[1].dropna(subset=[x, y]), x, y)
        for (x, y), words in RATES.items()
        for title, kind in kinds.items()
        if rows[y].notna().any()
    ]
    figure, axes = panels(len(parts), len(kinds), 4.0)
    for axis, part in zip(axes, parts, strict=True):
        x, y = part.x, part.y
        for name, row in part.points.groupby("model"):
            style = pointed(styles[str(name)])
            axis.errorbar(row[x], row[y], yerr=bars(row, y), xerr=bars(row, x), linestyle="", **style)
        axis.set(title=part.title, xlim=_range(part.points, x), ylim=_range(part.points, y))
    label(axes, len(kinds), "view accuracy", "joint accuracy")
    for axis, part in zip(axes, parts, strict=True):
        points, x, y = part.points, part.x, part.y
        across = points[[f"{x}_ci_low", y, f"{x}_ci_high", y]].to_numpy(float)
        upwards = points[[x, f"{y}_ci_low", x, f"{y}_ci_high"]].to_numpy(float)
        lines = [Bbox.from_extents(*corners) for corners in (*across, *upwards)]
        named = zip(part.named[x], part.named[y], strict=True)
        places = dict(zip(part.named["model"], named, strict=True))
        name_points(figure, axis, places, zip(points[x], points[y], strict=True), lines)
    text = (
        f"Share of the generated images whose view is right, and whose identity and view both are, {nc} classes, "
        "random split: above on target views other than the input's own, below on all. Enlarged are the models with "
        f"at least half of the best one's joint on other views. Each panel has a scale of its own. {coverage(rows)}"
    )
    title = f"Joint accuracy over view accuracy, {nc} classes"
    yield Drawing(Picture("figures/joint_over_view", title, text), figure)


def _range(rows: pd.DataFrame, rate: str) -> tuple[float, float]:
    low, high = rows[f"{rate}_ci_low"].min(), rows[f"{rate}_ci_high"].max()
    margin = max(LEAST_MARGIN, MARGIN * (high - low))
    return low - margin, high + margin


@dataclass(frozen=True)
class Place:
    """The position of a name relative to its point."""

    distance: float
    angle: float

    @property
    def offset(self) -> Point:
        """Return the distance to the nearest end of the name."""
        return self.distance * cos(radians(self.angle)), self.distance * sin(radians(self.angle))

    @property
    def end(self) -> Literal["left", "right", "center"]:
        """The end of the name that is nearest to the point."""
        across = self.offset[0]
        return "left" if across > 1 else "right" if across < -1 else "center"

    def box(self, point: Point, width: float) -> Bbox:
        """Return what a name of that width covers."""
        x, y = point[0] + self.offset[0], point[1] + self.offset[1]
        x -= {"left": 0, "center": width / 2, "right": width}[self.end]
        return Bbox.from_bounds(x - GAP, y - HEIGHT / 2, width + 2 * GAP, HEIGHT)


PLACES = [Place(distance, angle) for distance in DISTANCES for angle in ANGLES]


def name_points(
    figure: Figure, axis: Axes, named: Mapping[str, Point], points: Iterable[Point], lines: Iterable[Bbox]
) -> None:
    """Write each name beside its point, where it covers no other name, no point and, if possible, no line.

    A name for which there is no such place stands right of its point. The limits of the axes must be final.

    Args:
        figure: the whole figure.
        axis: where to write.
        named: the points that get their names.
        points: all points.
        lines: error bars, as boxes without width or height; all in data coordinates.
    """
    figure.draw_without_rendering()  # puts the axes into their place
    scale = Affine2D().scale(72 / figure.dpi)
    placed, inside = axis.transData + scale, axis.bbox.transformed(scale)
    taken = [Bbox([corner := placed.transform(point), corner]).padded(POINT) for point in points]
    thin = [line.transformed(placed) for line in lines]
    for name, point in named.items():
        width, (x, y) = 72 * text_width(name, SIZE), placed.transform(point)
        boxes = [(place, place.box((x, y), width)) for place in PLACES]
        fitting = [(place, box) for place, box in boxes if inside.containsx(box.x0) and inside.containsx(box.x1)]
        fitting = [(place, box) for place, box in fitting if inside.containsy(box.y0) and inside.containsy(box.y1)]
        obstacles = ([*taken, *thin], taken)  # the first place that covers none of all, otherwise no name and no point
        free = (place for others in obstacles for place, box in fitting if not box.count_overlaps(others))
        place = next(free, PLACES[0])
        taken.append(place.box((x, y), width))
        line = LINE if place.distance >= NEAR else None
        style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": SIZE, "arrowprops": line}
        axis.annotate(name, point, place.offset, ha=place.end, **style)
