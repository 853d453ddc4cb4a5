"""What is drawn on a wheel."""

import math

from benchmark.data.cars.atlas import Panel
from benchmark.data.cars.identity import Car
from benchmark.data.cars.materials import Material

M = Material


def wheel(car: Car) -> Panel:
    """Return the drawing of a wheel, its hub at (0, 0)."""
    radius, trim = car.proportions.wheel_radius, car.trim
    rim = radius * car.proportions.rim
    panel = Panel(-radius, radius, -radius, radius, M.TYRE)
    if trim.whitewall:
        panel.disc(0, 0, min(rim * 1.18, radius * 0.93), M.WHITE)
        panel.disc(0, 0, rim * 1.03, M.TYRE)
    panel.disc(0, 0, rim, trim.rim_finish)
    _spokes(panel, rim, trim.rim, trim.rim_finish)
    return panel


def _spokes(panel: Panel, rim: float, kind: str, finish: Material) -> None:
    count, width = {"five": (5, 0.28), "ten": (10, 0.12), "mesh": (16, 0.09), "three": (3, 0.5)}.get(kind, (0, 0.0))
    if kind != "disc":
        panel.disc(0, 0, rim * 0.88, M.BLACK)
    for k in range(count):
        turn = math.tau * (k + 0.25) / count
        panel.line([(0, 0), (0.92 * rim * math.cos(turn), 0.92 * rim * math.sin(turn))], width * rim * 1.4, finish)
    panel.disc(0, 0, rim * 0.2, M.BLACK if kind == "disc" else finish)
