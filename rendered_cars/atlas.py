"""Drawings of materials that are wrapped around a car."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rendered_cars.materials import Material
from rendered_cars.shapes import Polygon

SCALE = 100  # pixels for each metre of a drawing
SWATCH = 4  # side of a patch of plain material in pixels


class Panel:
    """A drawing board in metres: the first axis rightwards, the second upwards."""

    def __init__(self, left: float, right: float, bottom: float, top: float, fill: Material) -> None:
        self.left, self.top = left, top
        size = (int((right - left) * SCALE) + 1, int((top - bottom) * SCALE) + 1)
        self.image = Image.new("L", size, int(fill))
        self._draw = ImageDraw.Draw(self.image)

    def pixels(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the pixels (column, row) of `points` of shape (..., 2)."""
        points = np.asarray(points, dtype=np.float64)
        return np.stack([(points[..., 0] - self.left) * SCALE, (self.top - points[..., 1]) * SCALE], axis=-1)

    def _flat(self, points: npt.ArrayLike) -> list[float]:
        return [float(value) for value in self.pixels(points).ravel()]

    def polygon(self, points: npt.ArrayLike, fill: Material) -> None:
        """Fill a polygon of shape (n, 2)."""
        self._draw.polygon(self._flat(points), fill=int(fill))

    def box(self, x0: float, z0: float, x1: float, z1: float, fill: Material) -> None:
        """Fill a rectangle."""
        self.polygon([(x0, z0), (x1, z0), (x1, z1), (x0, z1)], fill)

    def disc(self, x: float, z: float, radius: float, fill: Material) -> None:
        """Fill a circle."""
        self._draw.ellipse(self._flat([(x - radius, z + radius), (x + radius, z - radius)]), fill=int(fill))

    def line(self, points: npt.ArrayLike, width: float, fill: Material) -> None:
        """Draw a line `width` metres wide through `points` of shape (n, 2)."""
        self._draw.line(self._flat(points), fill=int(fill), width=max(1, round(width * SCALE)), joint="curve")

    def shape(self, polygons: Sequence[Polygon], at: tuple[float, float], half: tuple[float, float], fill: Material,
              mirrored: bool = False) -> None:  # fmt: skip
        """Fill unit `polygons` scaled by `half` sizes around `at`, seen in a mirror where `mirrored`."""
        sign = -1.0 if mirrored else 1.0
        for outline in polygons:
            self.polygon(np.array(outline) * (sign * half[0], half[1]) + at, fill)


class Atlas:
    """All drawings of a car, stacked in one array of material indices."""

    def __init__(self, panels: dict[str, Panel]) -> None:
        swatches = np.repeat(np.repeat(np.arange(len(Material), dtype=np.uint8)[None], SWATCH, 0), SWATCH, 1)
        parts = [swatches, *(np.asarray(panel.image) for panel in panels.values())]
        width = max(part.shape[1] for part in parts)
        self.image = np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1])), mode="edge") for part in parts])
        starts = np.cumsum([part.shape[0] for part in parts])
        self._panels = {name: (panel, start) for (name, panel), start in zip(panels.items(), starts, strict=False)}

    def place(self, panel: str, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the atlas pixels of `points` of shape (..., 2) on the drawing `panel`, kept inside it."""
        board, start = self._panels[panel]
        limits = np.array(board.image.size) - 1.01
        return np.asarray(np.clip(board.pixels(points), 0, limits) + np.array([0, start]))

    @staticmethod
    def plain(material: Material, count: int) -> npt.NDArray[np.float64]:
        """Return `count` equal atlas pixels of a plain material."""
        return np.tile(((int(material) + 0.5) * SWATCH, SWATCH / 2), (count, 1))
