"""Speed of the suite on the machine at hand, as ratios that hold under noise: `python -m tools.speed --help`.

Here is what the sections share: rows of numbers with their goals, a stopwatch, random images and models to train.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric

from benchmark.data.image_store import ARRAY, ImageStore
from benchmark.environment import open_fabric
from benchmark.making import building
from benchmark.run.workspace import Run
from benchmark.seeding import rng
from benchmark.stages import models
from benchmark.training.compiling import CompilingFabric
from benchmark.training.sampling import AuxiliaryBatches
from models.interface import ViewModel

PER_IDENTITY = 20  # images
UNKNOWN = 1000  # identities to train on, where only the data can tell how many there are
MOST = 2**30  # bytes of pixels; images are shared beyond that
ENOUGH, LONGEST = 1.0, 60.0  # seconds that a turn need not exceed, and after which no further round begins

Action = Callable[[], object]
Times = Sequence[float]  # seconds of a call, one for each round
Numbers = Mapping[str, float | None]  # by quantity, the unit in its name; None for one that was not measured


class Goal(NamedTuple):
    """The goal for the number `quantity`: `bound`, or better; more is better where `least`."""

    quantity: str
    bound: float
    least: bool

    def met(self, value: float) -> bool:
        """Return whether `value` is as good as it should be."""
        return value >= self.bound if self.least else value <= self.bound


class Section(NamedTuple):
    """Rows of the same quantities, the goals of some, and sentences that explain the numbers."""

    title: str
    rows: Mapping[str, Numbers]
    goals: Mapping[str, Goal]
    notes: Sequence[str]


def timed(
    actions: Mapping[str, Action],
    rounds: int,
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
    longest: float = LONGEST,
) -> dict[str, Times]:
    """Return what a call of each action takes in each round, in seconds; a GPU is waited for.

    Each action is called for nothing, then once to see how often it is called in its turn: so often that it takes as
    long as the slowest, or ENOUGH. An action that others cut into then loses as much as the next one. No round begins
    when `longest` seconds have gone by, but one is done.
    """

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return clock()

    def seconds(action: Action, calls: int) -> float:
        start = now()
        for _ in range(calls):
            action()
        return now() - start

    for action in actions.values():
        action()
    single = {name: seconds(action, 1) for name, action in actions.items()}
    turn = min(ENOUGH, max(single.values()))
    calls = {name: max(1, round(turn / max(taken, 1e-6))) for name, taken in single.items()}
    start, found = clock(), {name: list[float]() for name in actions}
    for number in range(rounds):
        if number and clock() - start > longest:
            break
        for name, action in actions.items():
            found[name].append(seconds(action, calls[name]) / calls[name])
    return {**found}


def ratio(times: Times, others: Times) -> float:
    """Return the median over the rounds of what one action takes over what another does."""
    return median(one / other for one, other in zip(times, others, strict=True))


@contextmanager
def store_of(run: Run) -> Iterator[ImageStore]:
    """Yield random images, with the profile's size, views and numbers of identities, in groups of two."""
    known, standard, size = models.identities(run.settings), run.settings.data.standard, run.settings.data.image_size
    auxiliary = known or UNKNOWN
    evaluated = max(standard if isinstance(standard, int) else 0, *run.settings.evaluation.nc)
    number = np.arange((auxiliary + evaluated) * PER_IDENTITY)
    identity, place = np.divmod(number, PER_IDENTITY)
    training = identity < auxiliary
    pixels = rng("speed").integers(0, 256, (min(len(number), MOST // (3 * size**2)), size, size, 3), np.uint8)
    columns = {
        "image": [f"{n}.png" for n in number],
        "identity": [f"{n:06}" for n in identity],
        "identity_label": np.where(training, identity, -1),
        "view_label": place % len(run.settings.data.views),
        "group": [f"{n}" for n in number // 2],
        "split": np.where(training, "auxiliary", "standard"),
        "row": number % len(pixels),
    }
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / ARRAY, pixels)
        yield ImageStore(Path(folder), pd.DataFrame(columns))


def opened(run: Run, compiled: bool = False) -> Fabric:
    """Return Fabric with the run's device and precision."""
    return open_fabric(run.device, run.settings.training.precision, kind=CompilingFabric if compiled else None)


def ready(run: Run, model: str, store: ImageStore, fabric: Fabric) -> tuple[ViewModel, AuxiliaryBatches]:
    """Return a model as it is before its first cycle, and the batches of its training.

    Raises:
        BenchmarkError: there is none, or it cannot be built for the run's settings.
    """
    network = building.build(run, model, store).to(fabric.device).to(memory_format=torch.channels_last)
    network.setup(fabric)
    rows = store.manifest.iloc[store.subset("auxiliary")]
    row, identity, view = (rows[name].to_numpy(np.int64) for name in ("row", "identity_label", "view_label"))
    size = run.settings.training.batch_size
    return network.train(), AuxiliaryBatches(store.images, row, identity, view, size, fabric.device)
