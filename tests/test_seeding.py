"""Seeds from named axes."""

import random
from itertools import combinations

import numpy as np
import pytest
import torch

from benchmark.seeding import rng, seed, seed_global

AXES: list[tuple[str | int, ...]] = [
    (),
    ("train",),
    ("train", "ours"),
    ("train", "ours", 0),
    ("train", "ours", "0"),
    ("train", "ours", 1),
    ("ours", "train", 0),
    ("trainours", 0),
    ("classes", 20, 5),
    ("classes", 2, 5),
    ("classes", 205),
    ("classes", 20, 0, 5),
]


def test_every_name_order_type_and_number_counts() -> None:
    for first, second in combinations(AXES, 2):
        assert seed(*first) != seed(*second), (first, second)


def test_the_seeds_of_this_version_are_those_of_every_machine() -> None:
    assert seed("train", "ours", 0) == seed("train", "ours", 0)
    assert all(0 <= seed(*axes) < 2**63 for axes in AXES)
    assert seed("classes", "rendered", 20, 0) == 5312466085057231767


def test_seeds_spread_evenly() -> None:
    values = np.array([seed("noise", n) for n in range(4000)]) / 2**63
    counts, _ = np.histogram(values, bins=10, range=(0, 1))
    assert counts.min() > 330
    assert counts.max() < 470


def test_generator_repeats() -> None:
    assert np.array_equal(rng("a", 1).random(5), rng("a", 1).random(5))
    assert not np.array_equal(rng("a", 1).random(5), rng("a", 2).random(5))


@pytest.mark.parametrize("axes", [("cycle", "ours", 0, 3), ("finish", "ours", 0)])
def test_global_generators_repeat(axes: tuple[str | int, ...]) -> None:
    def numbers() -> tuple[float, float, float]:
        return torch.rand(1).item(), np.random.rand(), random.random()

    seed_global(*axes)
    first = numbers()
    assert numbers() != first
    seed_global(*axes)
    assert numbers() == first
