"""Seeds from named axes, so that no number depends on the order in which things are computed."""

import hashlib
import random

import numpy as np


def seed(*axes: str | int) -> int:
    """Return a 63-bit seed for `axes`, such as `seed("train", "ours", 0)`.

    The same axes give the same seed on every machine; different axes give independent ones.
    """
    digest = hashlib.sha256("\0".join(f"{type(axis).__name__}:{axis}" for axis in axes).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def rng(*axes: str | int) -> np.random.Generator:
    """Return numpy's generator seeded by `axes`."""
    return np.random.default_rng(seed(*axes))


def seed_global(*axes: str | int) -> None:
    """Seed the global generators of torch (every device), numpy and Python."""
    import torch  # tables, which need numbers drawn by numpy alone, come without it

    value = seed(*axes)
    torch.manual_seed(value)
    np.random.seed(value % 2**32)
    random.seed(value)
