"""A car ready to be seen: its triangles, what is drawn on them, and the index for ray casting."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from benchmark.data.cars import face
from benchmark.data.cars.atlas import Atlas
from benchmark.data.cars.body import ACROSS, LEVELS, Floats, Profile, bend, profile
from benchmark.data.cars.identity import Car, draw_car
from benchmark.data.cars.materials import Material
from benchmark.data.cars.parts import fittings
from benchmark.data.cars.side import side
from benchmark.data.cars.upper import upper
from benchmark.data.cars.wheel import wheel


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


def _sheet(points: Floats, pixels: Floats) -> Piece:
    """Turn a grid of points of shape (n, m, 3), with pixels of shape (n, m, 2), into triangles facing outwards."""
    n, m = points.shape[:2]
    corner = np.arange(n * m).reshape(n, m)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Piece(points.reshape(-1, 3), faces, pixels.reshape(-1, 2))


def _outwards(piece: Piece, centre: Floats) -> Piece:
    corners = piece.vertices[piece.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if np.sum(normals * (corners.mean(axis=1) - centre)) >= 0:
        return piece
    return Piece(piece.vertices, piece.faces[:, ::-1], piece.pixels)


def _hull(car: Car, outline: Profile, atlas: Atlas) -> list[Piece]:
    every, first, last = np.arange(len(outline.x)), np.array([0]), np.array([len(outline.x) - 1])
    middle = np.array([car.proportions.length / 2, 0, car.proportions.height / 2])

    def wall(stations: npt.NDArray[np.int64], t: Floats, u: Floats) -> Floats:
        grids = np.meshgrid(stations, t, u, indexing="ij")
        return np.squeeze(bend(car, outline, *grids))

    one = np.ones(1)
    pieces = [_sheet(wall_, atlas.place("side", wall_[..., [0, 2]])) for wall_ in (
        wall(every, -one, LEVELS), wall(every, one, LEVELS))]  # fmt: skip
    for name, stations in (("front", first), ("rear", last)):
        points = wall(stations, ACROSS, LEVELS)
        pieces.append(_sheet(points, atlas.place(name, points[..., [1, 2]])))
    top, floor = wall(every, ACROSS, one), wall(every, ACROSS, 0 * one)
    along = np.broadcast_to(outline.arc[:, None], top.shape[:2])
    pieces.append(_sheet(top, atlas.place("upper", np.stack([along, top[..., 1]], -1))))
    pieces.append(_sheet(floor, atlas.plain(Material.WELL, floor[..., 0].size)))
    return [_outwards(piece, middle) for piece in pieces]


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


def _flat_normals(pieces: list[Piece]) -> Floats:
    return np.concatenate([trimesh.Trimesh(p.vertices, p.faces, process=False).vertex_normals for p in pieces])


def assemble(car: Car) -> Solid:
    """Return `car` as a solid."""
    outline, p = profile(car), car.proportions
    panels = {
        "side": side(car, outline), "upper": upper(car, outline), "front": face.front(car), "rear": face.rear(car),
        "wheel": wheel(car),
    }  # fmt: skip
    atlas = Atlas(panels)
    hull, fitted = _joined(_hull(car, outline, atlas)), _fitted(car, outline, atlas)
    whole = _joined([hull, *fitted])
    normals = np.concatenate([_smooth_normals(hull), _flat_normals(fitted)])
    index = EmbreeScene()
    TriangleMesh(index, whole.vertices[whole.faces].astype(np.float32))
    return Solid(
        index, whole.faces, whole.vertices.astype(np.float32), normals.astype(np.float32),
        whole.pixels.astype(np.float32), atlas.image, p.length, p.width, p.height,
    )  # fmt: skip


@lru_cache(maxsize=4)
def solid(seed: int, make_id: int, model_id: int, rank: int) -> Solid:
    """Return the solid of a model; the last few are kept."""
    return assemble(draw_car(seed, make_id, model_id, rank))
