"""Names beside points, none on top of another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

from benchmark.reporting.figures.layout import text_width

SIZE = 8.5  # of the letters; all lengths here are in points
HEIGHT = 1.3 * SIZE  # of a line
GAP = 2  # left and right of a name
DISTANCES = (9, 16, 25, 36, 50, 66)  # of a name from its point
ANGLES = (0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200)  # in degrees, those tried first come first
NEAR = 16  # from here on a line leads to the point
POINT = 3.0  # half the side of what a point covers
LINE = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}

Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """Where a name stands, seen from its point."""

    distance: float
    angle: float

    @property
    def offset(self) -> Point:
        """How far away the nearest end of the name is."""
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
        place = _free((x, y), width, inside, ([*taken, *thin], taken))
        taken.append(place.box((x, y), width))
        _write(axis, name, point, place)


def _free(point: Point, width: float, inside: Bbox, obstacles: Sequence[Sequence[Bbox]]) -> Place:
    """Return the first place where a name covers none of the first obstacles, otherwise none of the next ones."""
    boxes = [(place, place.box(point, width)) for place in PLACES]
    fitting = [(place, box) for place, box in boxes if inside.containsx(box.x0) and inside.containsx(box.x1)]
    fitting = [(place, box) for place, box in fitting if inside.containsy(box.y0) and inside.containsy(box.y1)]
    free = (place for others in obstacles for place, box in fitting if not box.count_overlaps(others))
    return next(free, PLACES[0])


def _write(axis: Axes, name: str, point: Point, place: Place) -> None:
    line = LINE if place.distance >= NEAR else None
    style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": SIZE, "arrowprops": line}
    axis.annotate(name, point, place.offset, ha=place.end, **style)
