"""What is drawn on the sides, the upper side and the wheels of a car."""

import math

import numpy as np

from benchmark.data.cars.atlas import Panel
from benchmark.data.cars.body import Floats, Profile, belt, belt_at, half_width
from benchmark.data.cars.identity import Car
from benchmark.data.cars.materials import Material

M = Material
TOP_HALF = 1.1  # half the width of the drawing of the upper side


def side(car: Car, outline: Profile) -> Panel:
    """Return the drawing of a side: x rightwards, z upwards."""
    p = car.proportions
    panel = Panel(-0.2, p.length + 0.2, 0, p.height + 0.1, M.PAINT)
    _flank(panel, car)
    _lower(panel, car)
    _two_tone(panel, car)
    _doors(panel, car)
    _windows(panel, car, outline)
    _corners(panel, car)
    _arches(panel, car)
    return panel


def _lower(panel: Panel, car: Car) -> None:
    p, trim = car.proportions, car.trim
    panel.box(-0.2, 0, p.length + 0.2, p.clearance + trim.lower_height, trim.lower)
    panel.box(-0.2, 0, p.length + 0.2, p.clearance + 0.04, M.BLACK)
    if trim.stripe is not None:
        z = p.clearance + trim.stripe_level * (p.cowl - p.clearance)
        half = trim.stripe_height / 2
        panel.box(0.25, z - half, p.length - 0.2, z + half, trim.stripe)


def _flank(panel: Panel, car: Car) -> None:
    p, kind, edges = car.proportions, car.trim.flank, door_edges(car)
    top = p.height
    shapes = {
        "rear": [(edges[-1], 0), (p.length + 0.2, 0), (p.length + 0.2, top), (edges[-1] - 0.3, top)],
        "sweep": [(p.front_axle, 0), (p.length + 0.2, 0), (p.length + 0.2, p.cowl), (p.length - 0.6, p.cowl)],
        "doors": [(edges[0], 0), (edges[-1], 0), (edges[-1], top), (edges[0], top)],
        "fender": [(-0.2, 0), (edges[0] - 0.2, 0), (edges[0] + 0.1, top), (-0.2, top)],
    }
    if kind in shapes:
        panel.polygon(shapes[kind], car.trim.contrast)


def _two_tone(panel: Panel, car: Car) -> None:
    p = car.proportions
    x = np.array([p.hood - 0.1, p.length + 0.2])
    low = belt(car, x)
    start = (p.hood + p.windshield * 0.2, p.height + 0.1)
    panel.polygon([(x[0], low[0]), (x[1], low[1]), (x[1], p.height + 0.1), start], car.trim.roof)


def door_edges(car: Car) -> list[float]:
    """Return x of the vertical door gaps, from the front one backwards."""
    p, doors = car.proportions, car.trim.doors
    first = max(p.hood + 0.08, p.front_axle + p.wheel_radius + 0.06)
    cabin = p.length - p.deck - 0.55 * p.backlight
    last = min(cabin, p.rear_axle + 0.12)
    step = min(last - first, 1.3) if doors == 1 else (last - first) / 2
    return [first + step * k for k in range(doors + 1)]


def _doors(panel: Panel, car: Car) -> None:
    p, edges = car.proportions, door_edges(car)
    for x in edges:
        panel.line([(x, p.clearance + 0.1), (x, p.height)], 0.025, M.LINE)
    for x in edges[1:]:
        z = belt_at(car, x) - 0.12
        panel.box(x - 0.24, z - 0.02, x - 0.06, z + 0.02, M.BLACK if car.make.window_trim == M.BLACK else M.CHROME)


def glass_outline(car: Car, outline: Profile) -> Floats:
    """Return the outline of the side windows, of shape (n, 2): inside the roof line by the width of a pillar."""
    slope = np.gradient(outline.z, outline.arc), np.gradient(outline.x, outline.arc)
    inner = np.stack([outline.x + 0.1 * slope[0], outline.z - 0.1 * slope[1]], axis=1)
    low = belt(car, inner[:, 0]) + 0.03
    upper = inner[(inner[:, 1] > low + 0.01) & (inner[:, 0] > car.proportions.hood)]
    ends = np.array([upper[-1, 0], upper[0, 0]])
    return np.concatenate([upper, np.stack([ends, belt(car, ends) + 0.03], axis=1)])


def _windows(panel: Panel, car: Car, outline: Profile) -> None:
    trim, glass = car.trim, glass_outline(car, outline)
    first, last = float(glass[:, 0].min()), float(glass[:, 0].max())
    panel.polygon(glass, trim.glass)
    edges = door_edges(car)
    for x in edges[1:-1] if trim.doors == 2 else edges[1:]:
        panel.line([(x, belt_at(car, x) + 0.03), (x - 0.04, car.proportions.height - 0.1)], 0.09, trim.pillars)
    _rear_pillar(panel, car, edges[1] + 0.05 if not trim.glazed else first + trim.pillar_at * (last - first))
    panel.line(np.concatenate([glass, glass[:1]]), 0.05, car.make.window_trim)


def _rear_pillar(panel: Panel, car: Car, x: float) -> None:
    p, trim = car.proportions, car.trim
    lean = {"none": None, "forward": -0.22, "upright": 0.0, "backward": 0.25}[car.make.pillar]
    if not trim.glazed:
        panel.box(x, belt_at(car, x), p.length, p.height, trim.roof)
    elif lean is not None:
        low, high = belt_at(car, x), p.height
        width = 0.24 if p.length - p.deck - x > 0.7 else 1.5
        panel.polygon([(x, low), (x + width, low), (x + lean + width, high), (x + lean, high)], trim.roof)


def _corners(panel: Panel, car: Car) -> None:
    p, trim = car.proportions, car.trim
    front = p.clearance + 0.2, p.clearance + 0.42
    panel.box(-0.2, front[0], p.front_axle - p.wheel_radius - 0.1, front[1], trim.bumper)
    panel.box(p.rear_axle + p.wheel_radius + 0.1, front[0], p.length + 0.2, front[1], trim.bumper)
    lamp = p.clearance + trim.lamp_level * (p.nose - p.clearance)
    tall = max(0.05, trim.lamp_height * (p.nose - p.clearance) * 0.7)
    if car.make.lamp not in ("round", "twin"):
        panel.polygon([(-0.2, lamp - tall), (0.2, lamp - tall), (0.5, lamp + tall), (-0.2, lamp + tall)], M.LAMP)
    else:
        panel.box(0.3, lamp - 0.05, 0.45, lamp + 0.03, M.AMBER)
    low, high = _tail_span(car)
    panel.box(p.length - (0.12 if car.make.tail == "tall" else 0.3), low, p.length + 0.2, high, M.TAIL)


def _tail_span(car: Car) -> tuple[float, float]:
    p = car.proportions
    if car.make.tail == "tall" and p.deck < 0.2:
        return p.deck_height - 0.1, p.height - 0.15
    return p.deck_height - 0.3, p.deck_height - 0.12


def _arches(panel: Panel, car: Car) -> None:
    p = car.proportions
    for x in (p.front_axle, p.rear_axle):
        if car.trim.flares:
            panel.disc(x, p.wheel_radius, p.wheel_radius * 1.32, M.BLACK)
        panel.disc(x, p.wheel_radius, p.wheel_radius * 1.12, M.WELL)


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
    _deck(panel, car, outline)
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
    panel.polygon([(low, -wide), (low, wide), (high, narrow), (high, -narrow)], car.trim.glass)


def _deck(panel: Panel, car: Car, outline: Profile) -> None:
    p = car.proportions
    start, end = outline.arc_at(p.length - p.deck), float(outline.arc[-1])
    if car.style.name == "pickup":
        panel.box(start + 0.06, -0.68, end - 0.1, 0.68, M.WELL)
    elif p.deck > 0.3:
        panel.box(start + 0.03, -0.6, start + 0.05, 0.6, M.LINE)


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
