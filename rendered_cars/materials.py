"""Materials of surfaces, and how they reflect light."""

from enum import IntEnum

import numpy as np


class Material(IntEnum):
    """The index stored in an atlas and looked up in `TABLE`."""

    PAINT = 0
    LINE = 1
    GLASS = 2
    BLACK = 3
    CHROME = 4
    LAMP = 5
    TAIL = 6
    AMBER = 7
    TYRE = 8
    RIM = 9
    DARK_RIM = 10
    PLATE = 11
    WHITE = 12
    SILVER = 13
    WELL = 14


# columns: albedo red, green, blue; share of the paint's albedo; reflectance at right angles; own light (all 0 to 1)
TABLE = np.array(
    [
        [0.00, 0.00, 0.00, 1.00, 0.05, 0.00],
        [0.00, 0.00, 0.00, 0.15, 0.01, 0.00],
        [0.015, 0.02, 0.025, 0.0, 0.10, 0.00],
        [0.022, 0.022, 0.024, 0.0, 0.02, 0.00],
        [0.30, 0.31, 0.33, 0.00, 0.45, 0.00],
        [0.75, 0.77, 0.80, 0.00, 0.10, 0.30],
        [0.42, 0.01, 0.015, 0.0, 0.06, 0.08],
        [0.80, 0.28, 0.02, 0.00, 0.05, 0.05],
        [0.018, 0.018, 0.018, 0.0, 0.01, 0.00],
        [0.45, 0.46, 0.48, 0.00, 0.25, 0.00],
        [0.05, 0.05, 0.055, 0.0, 0.05, 0.00],
        [0.75, 0.75, 0.70, 0.00, 0.02, 0.05],
        [0.78, 0.78, 0.78, 0.00, 0.05, 0.00],
        [0.30, 0.31, 0.32, 0.00, 0.10, 0.00],
        [0.004, 0.004, 0.004, 0.0, 0.00, 0.00],
    ],
    dtype=np.float32,
)
