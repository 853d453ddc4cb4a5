"""The sheet metal: a box whose walls are bent to the lines of the car."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rendered_cars.identity import Car

Floats = npt.NDArray[np.float64]

STATIONS = 80  # cross-sections along the car
LEVELS = 1 - (1 - np.linspace(0, 1, 16)) ** 1.6  # heights of a cross-section, closer together at its upper edge
ACROSS = np.linspace(-1, 1, 13)
EDGE = 0.09  # radius of the edge between side and top, metres


@dataclass(frozen=True)
class Profile:
    """The upper outline seen from the side, sampled at equal steps of its length: three arrays of shape (n,)."""

    x: Floats
    z: Floats
    arc: Floats  # length of the outline from the nose, metres

    def arc_at(self, x: float) -> float:
        """Return the length of the outline up to `x`."""
        return float(np.interp(x, self.x, self.arc))

    def height(self, x: Floats) -> Floats:
        """Return the height of the outline at `x`."""
        return np.interp(x, self.x, self.z)


def profile(car: Car) -> Profile:
    """Return the outline of `car` with its corners rounded."""
    p = car.proportions
    roof = p.hood + p.windshield
    foot = p.length - p.deck
    end = foot - p.backlight
    crest = roof + 0.4 * (end - roof)
    knots = np.array(
        [
            (0, p.nose - 0.07),
            (0.05, p.nose),
            (0.5 * p.hood, 0.5 * (p.nose + p.cowl) + 0.035),
            (p.hood, p.cowl),
            (roof, p.height - 0.05),
            (crest, p.height),
            (max(end, crest + 0.05), p.height - p.roof_drop),
            (foot, p.deck_height),
            (p.length - 0.01, p.deck_height - 0.03),
            (p.length, p.deck_height - 0.07),
        ]
    )
    fine = np.linspace(0, p.length, 500)
    heights = np.interp(fine, knots[:, 0], knots[:, 1])
    window = np.hanning(15)[1:-1]
    heights = np.convolve(np.pad(heights, 6, mode="edge"), window / window.sum(), mode="valid")
    arc = np.concatenate([[0], np.cumsum(np.hypot(np.diff(fine), np.diff(heights)))])
    even = np.linspace(0, arc[-1], STATIONS)
    x = np.interp(even, arc, fine)
    return Profile(x, np.interp(x, fine, heights), even)


def belt(car: Car, x: Floats) -> Floats:
    """Return the height of the lower edge of the side windows at `x`."""
    p = car.proportions
    along = np.clip((x - p.hood) / (p.length - p.hood), -0.5, 1)
    return p.cowl - 0.02 + car.make.belt_rise * along


def belt_at(car: Car, x: float) -> float:
    """Return `belt` at one place."""
    return float(belt(car, np.array(x)))


def half_width(car: Car, x: Floats, z: Floats, top: Floats) -> Floats:
    """Return half the width of the car at `x` and height `z`, under the outline `top` (all broadcast)."""
    p = car.proportions
    ahead = np.clip(1 - x / (p.front_axle - 0.9 * p.wheel_radius), 0, 1)
    behind = np.clip((x - p.rear_axle - p.wheel_radius) / (p.length - p.rear_axle - p.wheel_radius), 0, 1)
    low = np.clip((0.62 - z) / 0.45, 0, 1)
    over = np.clip(z - belt(car, x), 0, None)
    half = p.width / 2 - 0.09 * ahead**2 - 0.07 * behind**2 - 0.05 * low**2
    half = half - car.make.tumble * over - 0.05 * np.clip(over / 0.08, 0, 1)
    edge = np.clip((z - top + EDGE) / EDGE, 0, 1)
    return half - EDGE * (1 - np.sqrt(1 - edge**2))


def bend(car: Car, outline: Profile, station: npt.NDArray[np.int64], t: Floats, u: Floats) -> Floats:
    """Map points of the box to the surface of the car.

    Args:
        car: the identity.
        outline: its outline.
        station: index of the cross-section, any shape.
        t: place across the car from -1 to 1, same shape.
        u: place between underside (0) and outline (1), same shape.

    Returns:
        Points of shape (*station.shape, 3).
    """
    p, make = car.proportions, car.make
    x, top = outline.x[station], outline.z[station]
    ahead = np.clip(1 - x / p.front_axle, 0, 1)
    behind = np.clip((x - p.rear_axle) / (p.length - p.rear_axle), 0, 1)
    bottom = p.clearance + 0.06 * ahead**2 + 0.1 * behind**2
    z = bottom + u * (top - bottom)
    y = t * half_width(car, x, z, top)
    height = np.clip((z - p.clearance) / (p.nose - p.clearance), 0, 1)
    bumper = 0.05 * np.exp(-(((height - 0.35) / 0.22) ** 2))
    x = x + ahead**2 * (make.nose_curve * np.abs(t) ** 3 + make.nose_rake * height**2 - bumper)
    x = x - behind**2 * (0.14 * np.abs(t) ** 3 - 0.6 * bumper)
    return np.stack([x, y, z + 0.03 * u**6 * (1 - t**2)], axis=-1)
