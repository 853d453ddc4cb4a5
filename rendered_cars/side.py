"""Drawing of the sides of a car: windows, doors, contrasts, lamps, wheel arches."""

import numpy as np

from rendered_cars.atlas import Panel
from rendered_cars.body import Floats, Profile, belt, belt_at
from rendered_cars.identity import Car
from rendered_cars.materials import Material

M = Material


def side(car: Car, outline: Profile) -> Panel:
    """Return the drawing of a side: x rightwards, z upwards."""
    p, trim = car.proportions, car.trim
    panel = Panel(-0.2, p.length + 0.2, 0, p.height + 0.1, M.PAINT)
    _flank(panel, car)
    panel.box(-0.2, 0, p.length + 0.2, p.clearance + trim.lower_height, trim.lower)
    panel.box(-0.2, 0, p.length + 0.2, p.clearance + 0.04, M.BLACK)
    if trim.stripe is not None:
        z, half = p.clearance + trim.stripe_level * (p.cowl - p.clearance), trim.stripe_height / 2
        panel.box(0.25, z - half, p.length - 0.2, z + half, trim.stripe)
    x = np.array([p.hood - 0.1, p.length + 0.2])
    low = belt(car, x)
    above = [(x[0], low[0]), (x[1], low[1]), (x[1], p.height + 0.1), (p.hood + p.windshield * 0.2, p.height + 0.1)]
    panel.polygon(above, trim.roof)
    _doors(panel, car)
    _windows(panel, car, outline)
    _corners(panel, car)
    for axle in (p.front_axle, p.rear_axle):
        if trim.flares:
            panel.disc(axle, p.wheel_radius, p.wheel_radius * 1.32, M.BLACK)
        panel.disc(axle, p.wheel_radius, p.wheel_radius * 1.12, M.WELL)
    return panel


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
        # black doors would merge with the windows
        panel.polygon(shapes[kind], M.WHITE if kind == "doors" else car.trim.contrast)


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
    p, trim, glass, edges = car.proportions, car.trim, glass_outline(car, outline), door_edges(car)
    panel.polygon(glass, M.GLASS)
    for x in edges[1:-1] if trim.doors == 2 else edges[1:]:
        panel.line([(x, belt_at(car, x) + 0.03), (x - 0.04, p.height - 0.1)], 0.09, trim.pillars)
    lean = {"none": None, "forward": -0.22, "upright": 0.0, "backward": 0.25}[car.make.pillar]
    if not trim.glazed:
        x = edges[1] + 0.05
        panel.box(x, belt_at(car, x), p.length, p.height, trim.roof)
    elif lean is not None:
        first, last = float(glass[:, 0].min()), float(glass[:, 0].max())
        x = first + trim.pillar_at * (last - first)
        low, high, width = belt_at(car, x), p.height, 0.24 if p.length - p.deck - x > 0.7 else 1.5
        panel.polygon([(x, low), (x + width, low), (x + lean + width, high), (x + lean, high)], trim.roof)
    panel.line(np.concatenate([glass, glass[:1]]), 0.05, car.make.window_trim)


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
    low, high = p.deck_height - 0.3, p.deck_height - 0.12
    if car.make.tail == "tall" and p.deck < 0.2:
        low, high = p.deck_height - 0.1, p.height - 0.15
    panel.box(p.length - (0.12 if car.make.tail == "tall" else 0.3), low, p.length + 0.2, high, M.TAIL)
