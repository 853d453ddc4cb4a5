"""The list of models, and of the pictures of each."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from rendered_cars.draws import generator, one_of
from rendered_cars.scene import NINE, Scene, draw

COMMON = ("left", "front_left", "front", "front_right", "right")
RARE = ("rear", "rear_left", "rear_right")
RARE_SHARE = 0.1  # of the pictures that show the rear
TURNED = 0.3  # share of the turn that is left at the nine views: at most 3 degrees, where 15 lie between two views
ENOUGH = 10  # pictures without the rear of a model that is not scarce
SCARCE = (3, 9)  # pictures without the rear of a scarce model, both ends included
UNCERTAIN_SHARE = 0.1  # of the models, one picture of which has no viewpoint in its label


@dataclass(frozen=True)
class Entry:
    """One model in the list of all."""

    make: int  # ids are counted from 1; some are never used
    model: int
    rank: int  # place in its make, from 0


@dataclass(frozen=True)
class Shot:
    """One planned picture; `image` is its path relative to the folder `image`."""

    image: str
    view: str
    certain: bool
    scene: Scene


def roster(identities: int, seed: int) -> list[Entry]:
    """Return so many models; the first ones stay the same when there are more."""
    entries: list[Entry] = []
    number = 0
    while len(entries) < identities:
        size = int(generator(seed, "make size", number).integers(6, 11))
        make = number + 1 + number // 9
        for rank in range(size):
            entries.append(Entry(make, len(entries) + 1 + len(entries) // 25, rank))
        number += 1
    return entries[:identities]


def scarce(entries: list[Entry], count: int, seed: int) -> set[int]:
    """Return the ids of the `count` models of the roster that get few pictures."""
    order = generator(seed, "scarce").permutation(len(entries))
    return {entries[i].model for i in order[:count]}


def shots(entry: Entry, few: bool, images: tuple[int, int], seed: int, nine: bool = False) -> list[Shot]:
    """Return the planned pictures of a model: as many as `images` allows, or so few that the benchmark drops it.

    They are from the car views, or from the nine within 60 degrees of the front, whose azimuth varies less.
    """
    rng = generator(seed, "shots", entry.model)
    common, rare_share = (tuple(NINE), 0.0) if nine else (COMMON, RARE_SHARE)
    views = _views(rng, few, images, common, rare_share)
    first = int(rng.integers(2007, 2014))
    years = [str(first + k) for k in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.1:
        years[-1] = "unknown"
    spare = sum(view in common for view in views) > ENOUGH
    doubtful = 0 if spare and rng.random() < UNCERTAIN_SHARE else -1
    planned = []
    for k, view in enumerate(views):
        name = hashlib.sha256(f"{seed} {entry.model} {k}".encode()).hexdigest()[:14]
        image = f"{entry.make}/{entry.model}/{one_of(rng, years)}/{name}.jpg"
        scene = draw(generator(seed, "scene", entry.model, k))
        if nine:
            scene = replace(scene, turn=TURNED * scene.turn)
        planned.append(Shot(image, view, k != doubtful, scene))
    return planned


def _views(
    rng: np.random.Generator, few: bool, images: tuple[int, int], common: tuple[str, ...], rare_share: float
) -> list[str]:
    """Return the views of a model's pictures, the common ones about equally often."""
    low, high = SCARCE if few else images
    count = int(rng.integers(low, high + 1))
    hidden = int(rng.binomial(count, rare_share))
    if not few:
        hidden = max(0, min(hidden, count - ENOUGH))
        count -= hidden
    start = rng.permutation(len(common))
    seen = [common[start[k % len(common)]] for k in range(count)]
    return [*seen, *(one_of(rng, RARE) for _ in range(hidden))]
