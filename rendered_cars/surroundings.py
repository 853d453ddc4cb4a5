"""Sky, skyline and ground behind and under a car."""

import numpy as np
import numpy.typing as npt

from rendered_cars.camera import Camera, along
from rendered_cars.draws import generator
from rendered_cars.scene import Scene
from rendered_cars.solid import Solid

Array = npt.NDArray[np.float32]

BLOCKS = 24  # of the skyline, around the whole horizon
STAIN = 0.7  # size of a stain on the ground, metres


def sky(scene: Scene, upwards: Array) -> Array:
    """Return the light (n, 3) that comes from directions with the vertical part `upwards` (n,), ground included."""
    zenith = np.array([scene.sky_r, scene.sky_g, scene.sky_b], dtype=np.float32) * np.float32(scene.sky)
    haze = 0.5 * zenith + np.float32(0.5 * scene.sky)
    ground = ground_colour(scene) * np.float32(0.55 * scene.sky)
    above = haze + (zenith - haze) * np.sqrt(np.clip(upwards, 0, 1))[:, None]
    return np.where(upwards[:, None] > 0, above, ground)


def ground_colour(scene: Scene) -> Array:
    """Return the albedo of the ground, of shape (3,)."""
    return np.array([scene.ground_r, scene.ground_g, scene.ground_b], dtype=np.float32)


def _skyline(scene: Scene, camera: Camera, rays: Array) -> tuple[Array, Array]:
    rng = generator(scene.backdrop, "skyline")
    heights = np.where(rng.random(BLOCKS) < 0.35, rng.uniform(0.0, 0.1, BLOCKS), 0.01)
    greys = rng.uniform(0.25, 0.5, (BLOCKS, 1)) * rng.uniform(0.9, 1.05, (BLOCKS, 3))
    across = np.arctan2(along(rays, camera.right), along(rays, camera.level))
    block = ((across / (2 * np.pi) + rng.random()) * BLOCKS).astype(np.int64) % BLOCKS
    return heights[block].astype(np.float32), (greys[block] * scene.sky).astype(np.float32)


def _stains(scene: Scene, x: Array, y: Array) -> Array:
    table = generator(scene.backdrop, "stains").uniform(0.9, 1.08, (32, 32)).astype(np.float32)
    u, v = x / STAIN, y / STAIN
    i, j = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    a, b = u - i, v - j
    i, j, k, m = i % 32, j % 32, (i + 1) % 32, (j + 1) % 32
    low = table[i, j] * (1 - a) + table[k, j] * a
    high = table[i, m] * (1 - a) + table[k, m] * a
    return np.asarray(low * (1 - b) + high * b)


def shine(scene: Scene, solid: Solid, camera: Camera, rays: Array, lit: Array, points: Array) -> Array:
    """Return the light (n, 3) of what lies behind the car.

    Args:
        scene: light and surroundings.
        solid: the car, for the shadow that it leaves under itself.
        camera: the point of view.
        rays: directions (n, 3) of unit length.
        lit: share of the sun (0 to 1) at `points`, of shape (n,).
        points: where the rays meet the ground (n, 3); anything for rays that do not.
    """
    heights, greys = _skyline(scene, camera, rays)
    slope = rays[:, 2]
    above = np.where((slope < heights)[:, None], greys, sky(scene, slope))
    sunny = scene.sun * np.sin(np.radians(scene.sun_elevation))
    ahead = np.abs(points[:, 0] - solid.length / 2) - (solid.length / 2 - 0.25)
    beside = np.abs(points[:, 1]) - (solid.width / 2 - 0.15)
    away = np.hypot(np.clip(ahead, 0, None), np.clip(beside, 0, None))
    open_ = np.asarray(1 - 0.85 * np.exp(-away / 0.22))  # share of the skylight that is not hidden by the car
    light = 0.75 * scene.sky * open_ + sunny * lit
    centred = points - np.array([solid.length / 2, 0, 0], dtype=np.float32)
    stained = _stains(scene, along(centred, camera.right), along(centred, camera.level))
    below = ground_colour(scene) * (light * stained)[:, None]
    return np.where((slope < -0.01)[:, None], below, above).astype(np.float32)
