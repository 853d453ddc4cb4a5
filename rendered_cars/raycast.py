"""From a car and a scene to a picture."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from rendered_cars.camera import Camera, aim, along
from rendered_cars.materials import TABLE
from rendered_cars.scene import AZIMUTHS, Scene
from rendered_cars.solid import Solid
from rendered_cars.surroundings import ground_colour, shine, sky

Array = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

FINE = 2  # rays for each pixel in each direction on the car


def render(solid: Solid, scene: Scene, view: str, size: int) -> tuple[Picture, Box]:
    """Return the picture of a car and the box around it.

    Args:
        solid: the car.
        scene: camera, light, paint and surroundings.
        view: one of AZIMUTHS.
        size: long side of the picture in pixels.

    Returns:
        uint8 of shape (height, width, 3) and (x0, y0, x1, y1) in pixels from 0, right and lower edges exclusive.
    """
    width, height = size, round(0.75 * size)
    camera = aim(solid, scene, (AZIMUTHS[view] + scene.turn) % 360, width, height)
    a, e = np.radians(scene.sun_azimuth), np.radians(scene.sun_elevation)
    level = np.cos(e) * (np.sin(a) * camera.right - np.cos(a) * camera.level)
    sun = np.asarray(level + np.array([0, 0, np.sin(e)]), dtype=np.float32)  # unit direction (3,) towards it
    light, cover = _car(solid, scene, camera, sun, (width, height))
    light += (1 - cover[..., None]) * _behind(solid, scene, camera, sun, (width, height))
    picture = (np.sqrt(np.clip(light, 0, 1)) * 255 + 0.5).astype(np.uint8)
    return picture, _box(cover, scene)


def _grid(columns: range, rows: range, fine: int) -> tuple[Array, Array]:
    x = (np.arange(columns.start * fine, columns.stop * fine) + 0.5) / fine
    y = (np.arange(rows.start * fine, rows.stop * fine) + 0.5) / fine
    xs, ys = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return xs.ravel(), ys.ravel()


def _car(solid: Solid, scene: Scene, camera: Camera, sun: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """Return the car's share of the light (height, width, 3) and of the area (height, width) of each pixel."""
    left, top, right, bottom = camera.bounds
    columns = range(max(0, int(left)), min(size[0], int(right) + 1))
    rows = range(max(0, int(top)), min(size[1], int(bottom) + 1))
    rays = camera.rays(*_grid(columns, rows, FINE))
    hits = solid.index.run(np.broadcast_to(camera.position, rays.shape).copy(), rays, query="INTERSECT", output=1)
    struck = np.flatnonzero(hits["primID"] >= 0)
    values = np.zeros((len(rays), 4), dtype=np.float32)
    seen = {name: hit[struck] for name, hit in hits.items()}
    values[struck, :3] = _shade(solid, scene, camera, sun, rays[struck], seen)
    values[struck, 3] = 1
    samples = values.reshape(len(rows), FINE, len(columns), FINE, 4)
    blocks = sum(samples[:, i, :, j] for i in range(FINE) for j in range(FINE)) / np.float32(FINE * FINE)
    whole = np.zeros((size[1], size[0], 4), dtype=np.float32)
    whole[rows.start : rows.stop, columns.start : columns.stop] = blocks
    return whole[..., :3], whole[..., 3]


def _shade(solid: Solid, scene: Scene, camera: Camera, sun: Array, rays: Array, hits: dict[str, Array]) -> Array:
    """Return the light (n, 3) that the struck points send along `rays` (n, 3) to the camera."""
    faces = solid.faces[hits["primID"]]
    u, v = hits["u"][:, None], hits["v"][:, None]
    weights = np.concatenate([1 - u - v, u, v], axis=1)
    normals = np.einsum("nij,ni->nj", solid.normals[faces], weights)
    normals /= np.sqrt(np.einsum("ij,ij->i", normals, normals))[:, None] + 1e-6
    pixels = np.einsum("nij,ni->nj", solid.pixels[faces], weights).astype(np.int64)
    surface = TABLE[solid.atlas[pixels[:, 1], pixels[:, 0]]]
    heights = camera.position[2] + hits["tfar"] * rays[:, 2]
    up = 0.5 + 0.5 * normals[:, 2:]
    above = np.array([scene.sky_r, scene.sky_g, scene.sky_b], dtype=np.float32) * 0.5 + 0.5
    open_ = np.clip(0.35 + heights / 0.6, 0, 1)[:, None]
    ambient = scene.sky * (up * above * 0.75 + (1 - up) * 0.6 * ground_colour(scene)) * open_
    diffuse = np.asarray(ambient + scene.sun * np.clip(along(normals, sun), 0, None)[:, None], dtype=np.float32)
    paint = np.array([scene.paint_r, scene.paint_g, scene.paint_b], dtype=np.float32)
    albedo = surface[:, :3] + surface[:, 3:4] * paint
    return np.asarray(
        albedo * (diffuse + surface[:, 5:]) + _mirrored(scene, sun, rays, normals, surface), dtype=np.float32
    )


def _mirrored(scene: Scene, sun: Array, rays: Array, normals: Array, surface: Array) -> Array:
    facing = np.einsum("ij,ij->i", rays, normals)
    mirrored = rays - 2 * facing[:, None] * normals
    grazing = np.clip(1 + facing, 0, 1) ** 5
    strength = surface[:, 4] + np.where(surface[:, 4] > 0.03, 0.35, 0.05) * grazing
    glint = scene.gloss * scene.sun * 6 * np.clip(along(mirrored, sun), 0, 1) ** 60
    seen = sky(scene, mirrored[:, 2] + np.float32(0.02)) + glint[:, None]
    return np.asarray(strength[:, None] * seen)


def _behind(solid: Solid, scene: Scene, camera: Camera, sun: Array, size: tuple[int, int]) -> Array:
    rays = camera.rays(*_grid(range(size[0]), range(size[1]), 1))
    steep = np.minimum(rays[:, 2], np.float32(-0.01))
    points = camera.position + rays * (-camera.position[2] / steep)[:, None]
    lit = np.ones(len(rays), dtype=np.float32)
    middle = np.array([solid.length / 2, 0], dtype=np.float32)
    near = np.flatnonzero(np.linalg.norm(points[:, :2] - middle, axis=1) < 0.5 * solid.length + 2.5 * solid.height)
    start = points[near] + np.array([0, 0, 1e-3], dtype=np.float32)
    towards = np.broadcast_to(sun, start.shape).copy()
    lit[near] = solid.index.run(start, towards, query="OCCLUDED") < 0
    soft = gaussian_filter(lit.reshape(size[1], size[0]), size[0] / 64).ravel()
    return shine(scene, solid, camera, rays, soft, points).reshape(size[1], size[0], 3)


def _box(cover: Array, scene: Scene) -> Box:
    columns, rows = np.flatnonzero(cover.any(axis=0)), np.flatnonzero(cover.any(axis=1))
    x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    wide, tall = x1 - x0, y1 - y0
    return (
        max(0, round(x0 - scene.box_left * wide)),
        max(0, round(y0 - scene.box_top * tall)),
        min(cover.shape[1], round(x1 + scene.box_right * wide)),
        min(cover.shape[0], round(y1 + scene.box_bottom * tall)),
    )
