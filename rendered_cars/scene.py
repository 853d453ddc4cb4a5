"""The scene: what differs from picture to picture and says nothing about the identity."""

import colorsys
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from rendered_cars.draws import between

CENTRES = {
    "left": 0, "front_left": 45, "front": 90, "front_right": 135,
    "right": 180, "rear_right": 225, "rear": 270, "rear_left": 315,
}  # fmt: skip
NINE = {str(angle): 90 + angle for angle in range(-60, 61, 15)}  # named by the angle to the front, below 0: nose left
AZIMUTHS = CENTRES | NINE


@dataclass(frozen=True)
class Scene:
    """Camera, light, paint and surroundings of one picture; angles in degrees, colours linear from 0 to 1.

    Sun and surroundings stand still with the camera, so that another view of a scene is the car turned on its place.
    """

    turn: float  # azimuth relative to the centre of the view
    elevation: float
    distance: float  # from the car's middle, metres
    fill: float  # share of the picture's width or height that the car takes
    shift_x: float  # of the car, share of the free room
    shift_y: float
    paint_r: float
    paint_g: float
    paint_b: float
    gloss: float
    sun_azimuth: float  # 0: behind the camera, 90: on its right
    sun_elevation: float
    sun: float  # strength
    sky: float  # strength
    sky_r: float
    sky_g: float
    sky_b: float
    ground_r: float
    ground_g: float
    ground_b: float
    backdrop: int  # seed of the skyline and of the stains on the ground
    box_left: float  # by which the labelled box is larger than the car, share of the car's width or height
    box_top: float
    box_right: float
    box_bottom: float

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return the scene stored in `row`, a mapping with a key for every field."""
        values: dict[str, Any] = {f.name: float(row[f.name]) for f in fields(cls)}
        return cls(**values | {"backdrop": int(row["backdrop"])})


def _paint(rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a colour that is neither black nor white, so that black and white trim shows on every paint."""
    if rng.random() < 0.4:
        grey = between(rng, 0.2, 0.45)
        return (grey, grey, grey)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), between(rng, 0.3, 0.85), 1.0)
    scale = between(rng, 0.2, 0.4) / (0.3 * red + 0.55 * green + 0.15 * blue)
    return (min(1.0, scale * red), min(1.0, scale * green), min(1.0, scale * blue))


def draw(rng: np.random.Generator) -> Scene:
    """Return a scene."""
    turn = between(rng, -5, 5) + between(rng, -5, 5)
    camera = (turn, between(rng, 5, 10), between(rng, 8, 11), between(rng, 0.86, 0.94))
    shift = (between(rng, -0.6, 0.6), between(rng, -0.5, 0.5))
    paint = _paint(rng)
    sky = colorsys.hsv_to_rgb(between(rng, 0.52, 0.66), between(rng, 0.0, 0.45), between(rng, 0.6, 1.0))
    ground = colorsys.hsv_to_rgb(rng.random(), between(rng, 0.0, 0.2), between(rng, 0.09, 0.26))
    light = (between(rng, -75, 75), between(rng, 30, 65), between(rng, 0.35, 0.9), between(rng, 0.65, 1.0))
    box = [between(rng, -0.01, 0.02) for _ in range(4)]
    return Scene(*camera, *shift, *paint, between(rng, 0.5, 1.3), *light, *sky, *ground, int(rng.integers(2**31)), *box)
