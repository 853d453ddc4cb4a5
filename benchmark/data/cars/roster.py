"""Which models exist, and which pictures of each."""

import hashlib
from dataclasses import dataclass

import numpy as np

from benchmark.data.cars.draws import generator, one_of
from benchmark.data.cars.scene import Scene, draw
from benchmark.settings import Rendered

COMMON = ("left", "front_left", "front", "front_right", "right")
RARE = ("rear", "rear_left", "rear_right")
RARE_SHARE = 0.1  # of the pictures that show the rear
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


def roster(settings: Rendered) -> list[Entry]:
    """Return all models; the first ones stay the same when `settings.identities` grows."""
    entries: list[Entry] = []
    number = 0
    while len(entries) < settings.identities:
        size = int(generator(settings.seed, "make size", number).integers(6, 11))
        make = number + 1 + number // 9
        for rank in range(size):
            entries.append(Entry(make, len(entries) + 1 + len(entries) // 25, rank))
        number += 1
    return entries[: settings.identities]


def scarce(settings: Rendered) -> set[int]:
    """Return the ids of the models that get few pictures."""
    models = [entry.model for entry in roster(settings)]
    order = generator(settings.seed, "scarce").permutation(len(models))
    return {models[i] for i in order[: settings.scarce]}


def _views(rng: np.random.Generator, settings: Rendered, few: bool) -> list[str]:
    """Return the views of a model's pictures, the five common ones about equally often."""
    low, high = SCARCE if few else settings.images
    count = int(rng.integers(low, high + 1))
    hidden = int(rng.binomial(count, RARE_SHARE))
    if not few:
        hidden = max(0, min(hidden, count - ENOUGH))
        count -= hidden
    start = rng.permutation(len(COMMON))
    seen = [COMMON[start[k % len(COMMON)]] for k in range(count)]
    return [*seen, *(one_of(rng, RARE) for _ in range(hidden))]


def _years(rng: np.random.Generator) -> list[str]:
    first = int(rng.integers(2007, 2014))
    years = [str(first + k) for k in range(int(rng.integers(1, 4)))]
    return [*years[:-1], "unknown"] if rng.random() < 0.1 else years


def shots(settings: Rendered, entry: Entry, few: bool) -> list[Shot]:
    """Return the planned pictures of a model; with `few` they are too few for the benchmark."""
    rng = generator(settings.seed, "shots", entry.model)
    views, years = _views(rng, settings, few), _years(rng)
    spare = sum(view in COMMON for view in views) > ENOUGH
    doubtful = 0 if spare and rng.random() < UNCERTAIN_SHARE else -1
    planned = []
    for k, view in enumerate(views):
        name = hashlib.sha256(f"{settings.seed} {entry.model} {k}".encode()).hexdigest()[:14]
        image = f"{entry.make}/{entry.model}/{one_of(rng, years)}/{name}.jpg"
        scene = draw(generator(settings.seed, "scene", entry.model, k))
        planned.append(Shot(image, view, k != doubtful, scene))
    return planned
