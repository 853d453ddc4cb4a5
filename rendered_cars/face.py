"""Drawing of the front and the rear of a car."""

import numpy as np
from PIL import Image

from rendered_cars import shapes
from rendered_cars.atlas import Panel
from rendered_cars.identity import Car
from rendered_cars.materials import Material

M = Material
HALF = 1.1  # half the width of both drawings


def _board(car: Car) -> Panel:
    p, trim = car.proportions, car.trim
    panel = Panel(-HALF, HALF, 0, max(p.nose, p.deck_height) + 0.1, M.PAINT)
    panel.box(-HALF, 0, HALF, p.clearance + 0.6 * trim.lower_height, trim.lower)
    panel.box(-HALF, 0, HALF, p.clearance + 0.05, M.BLACK)
    return panel


def front(car: Car) -> Panel:
    """Return the drawing of the front: y rightwards, z upwards."""
    p, trim, panel = car.proportions, car.trim, _board(car)
    tall, half = p.nose - p.clearance, p.width / 2
    middle = p.clearance + trim.lamp_level * tall
    panel.box(-HALF, middle - 0.2 * tall, HALF, middle + 0.2 * tall, trim.mask)
    panel.box(-HALF, p.clearance + 0.14, HALF, p.clearance + 0.34, trim.bumper)
    low = p.clearance + 0.06 + trim.intake_height * tall
    opening = M.WELL if trim.bumper != M.BLACK else M.SILVER
    panel.shape(shapes.INTAKES[trim.intake], (0, low), (0.62 * half, trim.intake_height * tall), opening)
    panel.box(trim.plate_offset - 0.25, p.clearance + 0.22, trim.plate_offset + 0.25, p.clearance + 0.33, M.PLATE)
    _grille(panel, car)
    _lamps(panel, car)
    return panel


def _grille(panel: Panel, car: Car) -> None:
    p, trim, make = car.proportions, car.trim, car.make
    tall, half = p.nose - p.clearance, p.width / 2
    at = (0.0, p.clearance + trim.grille_level * tall)
    size = (trim.grille_width * half, trim.grille_height * tall)
    polygons = shapes.GRILLES[make.grille]
    panel.shape(polygons, at, (size[0] + 0.04, size[1] + 0.04), make.frame)
    mask = Panel(-HALF, HALF, 0, panel.top, M.PAINT)
    mask.shape(polygons, at, size, M.WELL)
    stencil = Image.fromarray(((np.asarray(mask.image) == M.WELL) * 255).astype(np.uint8))
    board, bars = Panel(-HALF, HALF, 0, panel.top, M.WELL), np.linspace(-1.4, 1.4, 9)
    if make.pattern in ("horizontal", "mesh"):
        for z in at[1] + bars * size[1]:
            board.line([(-HALF, z), (HALF, z)], 0.03, M.CHROME)
    if make.pattern in ("vertical", "mesh"):
        for y in at[0] + bars * max(size[0], 0.25):
            board.line([(y, 0), (y, panel.top)], 0.03, M.CHROME)
    if make.pattern == "bar":
        board.box(-HALF, at[1] - 0.04, HALF, at[1] + 0.04, M.CHROME)
    panel.image.paste(board.image, mask=stencil)
    panel.disc(0, at[1], 0.05, M.CHROME)


def _lamps(panel: Panel, car: Car) -> None:
    p, trim = car.proportions, car.trim
    tall, half = p.nose - p.clearance, p.width / 2
    level = p.clearance + trim.lamp_level * tall
    size = (trim.lamp_width * half, trim.lamp_height * tall)
    if car.make.lamp == "round":
        size = (max(size[1], 0.09),) * 2
    centre = half - size[0] - 0.09
    for mirrored, y in ((False, centre), (True, -centre)):
        panel.shape(shapes.LAMPS[car.make.lamp], (y, level), (size[0] + 0.035, size[1] + 0.035), M.BLACK, mirrored)
        panel.shape(shapes.LAMPS[car.make.lamp], (y, level), size, M.LAMP, mirrored)
        if trim.fog:
            panel.disc(0.72 * y / abs(y) * half, p.clearance + 0.14, 0.06, M.LAMP)


def rear(car: Car) -> Panel:
    """Return the drawing of the rear: y rightwards, z upwards."""
    p, trim, panel = car.proportions, car.trim, _board(car)
    panel.box(-HALF, p.clearance + 0.16, HALF, p.clearance + 0.36, trim.bumper)
    panel.box(-0.27, p.deck_height - 0.42, 0.27, p.deck_height - 0.3, M.PLATE)
    low, high, wide, kind = p.deck_height - 0.3, p.deck_height - 0.1, p.width / 2, car.make.tail
    middle = (low + high) / 2
    for sign in (-1, 1):
        edge = sign * (wide + 0.1)
        if kind == "round":
            for y in (0.62, 0.84):
                panel.disc(sign * y * wide, middle, 0.09, M.TAIL)
        elif kind == "strip":
            panel.box(0, middle - 0.04, edge, middle + 0.04, M.TAIL)
        else:
            inner = {"block": 0.6, "bar": 0.35, "tall": 0.8, "hook": 0.72}[kind] * wide * sign
            panel.box(inner, low - (0.12 if kind == "tall" else 0), edge, high, M.TAIL)
            panel.box(inner, middle - 0.03, inner + sign * 0.12, middle + 0.03, M.WHITE)
            if kind == "hook":
                panel.box(0.4 * wide * sign, middle, edge, high, M.TAIL)
    return panel
