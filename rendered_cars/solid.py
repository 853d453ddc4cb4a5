"""A car ready to be seen: its triangles, what is drawn on them, and the index for ray casting."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from rendered_cars import face
from rendered_cars.atlas import Atlas
from rendered_cars.body import ACROSS, LEVELS, Floats, Profile, bend, profile
from rendered_cars.identity import Car, draw_car
from rendered_cars.materials import Material
from rendered_cars.parts import fittings, wheel
from rendered_cars.side import side
from rendered_cars.upper import upper


@dataclass(frozen=True)
class Piece:
    """Triangles with the atlas pixel of every corner point."""

    vertices: Floats  # (v, 3)
    faces: npt.NDArray[np.int64]  # (f, 3), counter-clockwise seen from outside
    pixels: Floats  # (v, 2)


@dataclass(frozen=True)
class Solid:
    """A car in the form `raycast` needs."""

    index: EmbreeScene
    faces: npt.NDArray[np.int64]  # (f, 3)
    vertices: npt.NDArray[np.float32]  # (v, 3)
    normals: npt.NDArray[np.float32]  # (v, 3), unit length, outwards
    pixels: npt.NDArray[np.float32]  # (v, 2), column and row in the atlas
    atlas: npt.NDArray[np.uint8]  # material indices
    length: float
    width: float
    height: float


def _sheet(points: Floats, pixels: Floats, centre: Floats) -> Piece:
    """Turn a grid of points (n, m, 3), with pixels (n, m, 2), into triangles that face away from `centre` (3,)."""
    n, m = points.shape[:2]
    corner = np.arange(n * m).reshape(n, m)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    corners = points.reshape(-1, 3)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inwards = np.sum(normals * (corners.mean(axis=1) - centre)) < 0
    return Piece(points.reshape(-1, 3), faces[:, ::-1] if inwards else faces, pixels.reshape(-1, 2))


def _hull(car: Car, outline: Profile, atlas: Atlas) -> list[Piece]:
    every, first, last = np.arange(len(outline.x)), np.array([0]), np.array([len(outline.x) - 1])
    middle = np.array([car.proportions.length / 2, 0, car.proportions.height / 2])
    one = np.ones(1)

    def wall(stations: npt.NDArray[np.int64], t: Floats, u: Floats) -> Floats:
        return np.squeeze(bend(car, outline, *np.meshgrid(stations, t, u, indexing="ij")))

    sheets = []
    for points in (wall(every, -one, LEVELS), wall(every, one, LEVELS)):
        sheets.append((points, atlas.place("side", points[..., [0, 2]])))
    for name, stations in (("front", first), ("rear", last)):
        points = wall(stations, ACROSS, LEVELS)
        sheets.append((points, atlas.place(name, points[..., [1, 2]])))
    top, floor = wall(every, ACROSS, one), wall(every, ACROSS, 0 * one)
    along = np.broadcast_to(outline.arc[:, None], top.shape[:2])
    sheets.append((top, atlas.place("upper", np.stack([along, top[..., 1]], -1))))
    sheets.append((floor, atlas.plain(Material.WELL, floor[..., 0].size)))
    return [_sheet(points, pixels, middle) for points, pixels in sheets]


def _fitted(car: Car, outline: Profile, atlas: Atlas) -> list[Piece]:
    pieces = []
    for fitting in fittings(car, outline):
        mesh = fitting.mesh
        if fitting.panel is None:
            pixels = atlas.plain(fitting.material, len(mesh.vertices))
        else:
            pixels = atlas.place(fitting.panel, mesh.vertices[:, [0, 2]] - fitting.origin)
        pieces.append(Piece(mesh.vertices, mesh.faces, pixels))
    return pieces


def _joined(pieces: list[Piece]) -> Piece:
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    return Piece(
        np.concatenate([piece.vertices for piece in pieces]),
        np.concatenate([piece.faces + start for piece, start in zip(pieces, starts, strict=False)]),
        np.concatenate([piece.pixels for piece in pieces]),
    )


def _smooth_normals(piece: Piece) -> Floats:
    """Return unit normals of shape (v, 3); points at the same place share one, so that seams do not show."""
    _, places = np.unique(np.round(piece.vertices, 5), axis=0, return_inverse=True)
    corners = piece.vertices[piece.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros((places.max() + 1, 3))
    for corner in range(3):
        np.add.at(sums, places.ravel()[piece.faces[:, corner]], flat)
    return np.asarray(trimesh.unitize(sums + np.array([0, 0, 1e-12])))[places.ravel()]


def assemble(car: Car) -> Solid:
    """Return `car` as a solid."""
    outline, size = profile(car), car.proportions
    panels = {
        "side": side(car, outline), "upper": upper(car, outline), "front": face.front(car), "rear": face.rear(car),
        "wheel": wheel(car),
    }  # fmt: skip
    atlas = Atlas(panels)
    hull, fitted = _joined(_hull(car, outline, atlas)), _fitted(car, outline, atlas)
    whole = _joined([hull, *fitted])
    flat = [trimesh.Trimesh(p.vertices, p.faces, process=False).vertex_normals for p in fitted]
    normals = np.concatenate([_smooth_normals(hull), *flat])
    index = EmbreeScene()
    TriangleMesh(index, whole.vertices[whole.faces].astype(np.float32))
    return Solid(
        index, whole.faces, whole.vertices.astype(np.float32), normals.astype(np.float32),
        whole.pixels.astype(np.float32), atlas.image, size.length, size.width, size.height,
    )  # fmt: skip


@lru_cache(maxsize=4)
def solid(seed: int, make_id: int, model_id: int, rank: int) -> Solid:
    """Return the solid of a model; the last few are kept."""
    return assemble(draw_car(seed, make_id, model_id, rank))
