"""Drawing of hood, roof and deck."""

import numpy as np

from rendered_cars.atlas import Panel
from rendered_cars.body import Profile, half_width
from rendered_cars.identity import Car
from rendered_cars.materials import Material

M = Material

TOP_HALF = 1.1  # half the width of the drawing, metres


def upper(car: Car, outline: Profile) -> Panel:
    """Return the drawing of hood, roof, deck and their windows: length of the outline rightwards, y upwards."""
    p, trim = car.proportions, car.trim
    panel = Panel(-0.05, float(outline.arc[-1]) + 0.05, -TOP_HALF, TOP_HALF, M.PAINT)
    _hood(panel, car, outline)
    roof, foot = p.hood + p.windshield, p.length - p.deck
    start, end = outline.arc_at(roof), outline.arc_at(foot - p.backlight)
    panel.box(outline.arc_at(p.hood), -TOP_HALF, outline.arc_at(foot), TOP_HALF, trim.roof)
    _pane(panel, car, outline, (p.hood + 0.02, roof - 0.02))
    if trim.glazed:
        _pane(panel, car, outline, (foot - 0.04 * p.backlight, foot - 0.93 * p.backlight))
    if trim.sunroof:
        panel.box(start + 0.25, -0.4, min(start + 0.95, end - 0.15), 0.4, M.GLASS)
    start, end = outline.arc_at(foot), float(outline.arc[-1])
    if car.style.name == "pickup":
        panel.box(start + 0.06, -0.68, end - 0.1, 0.68, M.WELL)
    elif p.deck > 0.3:
        panel.box(start + 0.03, -0.6, start + 0.05, 0.6, M.LINE)
    return panel


def _hood(panel: Panel, car: Car, outline: Profile) -> None:
    end, mark = outline.arc_at(car.proportions.hood) - 0.06, car.trim.hood_mark
    for sign in (-1, 1):
        panel.line([(0.05, 0.45 * sign), (end, 0.62 * sign)], 0.03, M.LINE)
    if mark == "stripes":
        for y in (-0.22, 0.22):
            panel.box(0, y - 0.1, end, y + 0.1, M.WHITE if car.trim.roof == M.WHITE else M.BLACK)
    elif mark == "band":
        panel.box(0.0, -0.3, end, 0.3, M.WHITE)
    elif mark == "scoop":
        panel.box(0.4 * end, -0.3, 0.65 * end, 0.3, M.BLACK)
    elif mark == "black":
        panel.polygon([(0.02, -0.45), (0.02, 0.45), (end, 0.62), (end, -0.62)], M.BLACK)
    panel.box(end, -0.7, end + 0.06, 0.7, M.BLACK)


def _pane(panel: Panel, car: Car, outline: Profile, ends: tuple[float, float]) -> None:
    corners = []
    for x in ends:
        height = outline.height(np.array(x))
        half = float(half_width(car, np.array(x), height, height)) - 0.01
        corners.append((outline.arc_at(x), half))
    (low, wide), (high, narrow) = corners
    panel.polygon([(low, -wide), (low, wide), (high, narrow), (high, -narrow)], M.GLASS)
