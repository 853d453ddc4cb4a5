"""Parts mounted on the body: wheels and what is drawn on them, mirrors, roof rails, spoiler."""

import math
from dataclasses import dataclass

import numpy as np
import trimesh

from rendered_cars.atlas import Panel
from rendered_cars.body import Profile, half_width
from rendered_cars.identity import Car
from rendered_cars.materials import Material

TYRE_WIDTH = 0.21  # metres
SPOKES = {"five": (5, 0.28), "ten": (10, 0.12), "mesh": (16, 0.09), "three": (3, 0.5)}  # number and thickness
_LAMPS = (-0.42, -0.14, 0.14, 0.42)  # y of the lamps on a roof


@dataclass(frozen=True)
class Fitting:
    """A mesh of one material, or one on which the drawing `panel` is projected with its origin at (x, z)."""

    mesh: trimesh.Trimesh
    material: Material
    panel: str | None = None
    origin: tuple[float, float] = (0.0, 0.0)


def _box(low: tuple[float, float, float], high: tuple[float, float, float]) -> trimesh.Trimesh:
    mesh: trimesh.Trimesh = trimesh.creation.box(bounds=np.array([low, high]))
    mesh.unmerge_vertices()
    return mesh


def _wheels(car: Car) -> list[Fitting]:
    p = car.proportions
    wheels = []
    for x in (p.front_axle, p.rear_axle):
        for sign in (-1, 1):
            outer = sign * (p.width / 2 + 0.012)
            axis = [(x, outer - sign * TYRE_WIDTH, p.wheel_radius), (x, outer, p.wheel_radius)]
            mesh = trimesh.creation.cylinder(p.wheel_radius, sections=40, segment=axis)
            mesh.unmerge_vertices()
            wheels.append(Fitting(mesh, Material.TYRE, "wheel", (x, p.wheel_radius)))
    return wheels


def _mirrors(car: Car) -> list[Fitting]:
    p = car.proportions
    x, z = p.hood + 0.3, p.cowl + 0.06
    y = p.width / 2
    material = Material.PAINT if car.make.window_trim == Material.PAINT else Material.BLACK
    spans = [(y - 0.1, y + 0.13), (-y - 0.13, -y + 0.1)]
    return [Fitting(_box((x, low, z - 0.06), (x + 0.12, high, z + 0.08)), material) for low, high in spans]


def _rails(car: Car, outline: Profile) -> list[Fitting]:
    p = car.proportions
    x = np.array([p.hood + p.windshield + 0.15, p.length - p.deck - p.backlight - 0.1])
    top = outline.height(x)
    half = float(half_width(car, x, top, top).min()) - 0.03
    z = float(top.min()) + 0.03
    return [Fitting(_box((x[0], y - 0.025, z), (x[1], y + 0.025, z + 0.05)), Material.BLACK) for y in (-half, half)]


def _spoiler(car: Car, outline: Profile) -> list[Fitting]:
    p = car.proportions
    roofed = p.deck < 0.25
    x = p.length - p.deck - p.backlight if roofed else p.length - 0.2
    z = float(outline.height(np.array(x))) + (0.0 if roofed else 0.1)
    half = 0.55 if roofed else 0.42 * p.width
    wing = Fitting(_box((x - 0.03, -half, z), (x + 0.25, half, z + 0.04)), Material.BLACK)
    posts = [] if roofed else [
        Fitting(_box((x + 0.05, y - 0.02, z - 0.15), (x + 0.1, y + 0.02, z)), Material.BLACK) for y in (-0.5, 0.5)
    ]  # fmt: skip
    return [wing, *posts]


def _load(car: Car) -> list[Fitting]:
    p = car.proportions
    front, rear = p.hood + p.windshield + 0.1, p.length - p.deck - p.backlight
    z = p.height - 0.02
    if car.trim.load == "box":
        return [Fitting(_box((front, -0.4, z), (max(rear, front + 0.6), 0.4, z + 0.24)), Material.BLACK)]
    if car.trim.load == "lamps":
        return [Fitting(_box((front, y - 0.1, z), (front + 0.08, y + 0.1, z + 0.16)), Material.LAMP) for y in _LAMPS]
    return []


def fittings(car: Car, outline: Profile) -> list[Fitting]:
    """Return everything mounted on `car`."""
    return [
        *_wheels(car),
        *_mirrors(car),
        *_load(car),
        *(_rails(car, outline) if car.trim.rails else []),
        *(_spoiler(car, outline) if car.trim.spoiler else []),
    ]


def wheel(car: Car) -> Panel:
    """Return the drawing of a wheel, its hub at (0, 0)."""
    radius, trim, finish = car.proportions.wheel_radius, car.trim, car.trim.rim_finish
    rim = radius * car.proportions.rim
    panel = Panel(-radius, radius, -radius, radius, Material.TYRE)
    if trim.whitewall:
        panel.disc(0, 0, min(rim * 1.18, radius * 0.93), Material.WHITE)
        panel.disc(0, 0, rim * 1.03, Material.TYRE)
    panel.disc(0, 0, rim, finish)
    count, width = SPOKES.get(trim.rim, (0, 0.0))
    if trim.rim != "disc":
        panel.disc(0, 0, rim * 0.88, Material.BLACK)
    for k in range(count):
        turn = math.tau * (k + 0.25) / count
        panel.line([(0, 0), (0.92 * rim * math.cos(turn), 0.92 * rim * math.sin(turn))], width * rim * 1.4, finish)
    panel.disc(0, 0, rim * 0.2, Material.BLACK if trim.rim == "disc" else finish)
    return panel
