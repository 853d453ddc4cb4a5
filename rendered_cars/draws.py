"""Random generators from named axes, for workers that must start fast (no torch)."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def generator(*axes: str | int) -> np.random.Generator:
    """Return a generator that depends on `axes` alone, such as `generator(seed, "model", 7)`."""
    digest = hashlib.sha256(repr(axes).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number uniformly between `low` and `high`."""
    return float(rng.uniform(low, high))


def apart(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between `low` and `high`, more often near one of them, so that draws differ visibly."""
    return low + (high - low) * float(rng.beta(0.5, 0.5))


def one_of(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """Return one of `choices`, each equally likely."""
    return choices[int(rng.integers(len(choices)))]
