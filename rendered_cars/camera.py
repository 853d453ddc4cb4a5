"""The camera: its position, and the part of the world that its picture shows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rendered_cars.scene import Scene
from rendered_cars.solid import Solid

Array = npt.NDArray[np.float32]


def along(vectors: Array, direction: Array) -> Array:
    """Return the scalar products (n,) of vectors (n, 3) with `direction` (3,).

    Written out, since the result of a matrix product depends on the number of threads in the last bit.
    """
    x, y, z = direction
    return np.asarray(vectors[:, 0] * x + vectors[:, 1] * y + vectors[:, 2] * z)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; a pixel (column, row) looks along `right * a - up * b + forward`, a and b linear in it."""

    position: Array  # (3,)
    right: Array
    up: Array
    forward: Array
    scale: float  # pixels for a slope of 1
    column: float  # pixel of the slope 0
    row: float
    bounds: tuple[float, float, float, float]  # of the car: left, top, right, bottom, pixels

    @property
    def level(self) -> Array:
        """The horizontal direction (3,) of unit length that `forward` is inclined to."""
        ahead = self.forward * np.array([1, 1, 0], dtype=np.float32)
        return np.asarray(ahead / np.sqrt(along(ahead[None], ahead)))

    def rays(self, columns: Array, rows: Array) -> Array:
        """Return unit directions of shape (n, 3) through the pixels (n,), counted from the picture's corner."""
        a = (columns - self.column) / self.scale
        b = (rows - self.row) / self.scale
        towards = a[:, None] * self.right - b[:, None] * self.up + self.forward
        return np.asarray(towards / np.sqrt(a * a + b * b + 1)[:, None], dtype=np.float32)


def aim(solid: Solid, scene: Scene, azimuth: float, width: int, height: int) -> Camera:
    """Return the camera that shows `solid` in a picture of `width` x `height` pixels as `scene` says.

    At azimuth 0 (degrees) it looks at the side on which the nose points left, at 90 at the front.
    """
    a, e = np.radians(azimuth), np.radians(scene.elevation)
    ahead = np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), -np.sin(e)])
    aside = np.array([np.cos(a), -np.sin(a), 0])
    right, up, forward = (axis.astype(np.float32) for axis in (aside, np.cross(aside, ahead), ahead))
    middle = np.array([solid.length / 2, 0, solid.height / 2], dtype=np.float32)
    position = middle - np.float32(scene.distance) * forward
    seen = solid.vertices - position  # (v, 3)
    depth = along(seen, forward)
    across, down = along(seen, right) / depth, -along(seen, up) / depth
    low = np.array([across.min(), down.min()], dtype=np.float64)
    high = np.array([across.max(), down.max()], dtype=np.float64)
    size = np.array([width, height])
    scale = float(scene.fill * np.min(size / (high - low)))
    free = size - scale * (high - low)
    corner = free / 2 * (1 + np.array([scene.shift_x, scene.shift_y]))
    column, row = corner - scale * low
    bounds = (*corner, *(corner + scale * (high - low)))
    return Camera(position, right, up, forward, scale, float(column), float(row), bounds)
