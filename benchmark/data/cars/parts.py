"""What is mounted on the body: wheels, mirrors, roof rails, spoiler."""

from dataclasses import dataclass

import numpy as np
import trimesh

from benchmark.data.cars.body import Profile, half_width
from benchmark.data.cars.identity import Car
from benchmark.data.cars.materials import Material

TYRE_WIDTH = 0.21  # metres
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
