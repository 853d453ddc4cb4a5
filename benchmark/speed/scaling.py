"""Time and memory as the task grows: batch, image size, number of identities."""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from statistics import median

import numpy as np
import psutil  # type: ignore[import-untyped]
import torch

from benchmark.evaluation.knn import several_ranks
from benchmark.evaluation.resnet import FEATURES
from benchmark.seeding import generator
from benchmark.speed import material
from benchmark.speed.rows import Row, Section
from benchmark.speed.stopwatch import Action, Stopwatch
from benchmark.workspace import Run
from models.registry import REFERENCE

BATCHES = (8, 16, 32, 64, 128)
SIZES = (32, 64, 96, 128)
IDENTITIES = (20, 50, 100, 200, 400)
TRAINED, TESTED = 16, 4  # images of an identity: the paper's 8 : 2
ROUNDS = 3
STATUS = Path("/proc/self/status")

Taken = tuple[float, float]  # seconds, MB
Task = Callable[[], Taken]


def apart(task: Task) -> Taken:
    """Do a task in a fresh process, whose memory is its own; an interruption does not wait for its end.

    Raises:
        BrokenProcessPool: it was killed.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(task).result()
        except KeyboardInterrupt:
            for process in active_children():
                process.kill()
            raise


def measure(run: Run) -> Section:
    """Measure a cycle of the reference model, and the KNN of one draw."""
    views = len(run.settings.data.views)
    series: list[Mapping[str, Task]] = [
        {f"training, batch {n}": partial(cycle, _changed(run, "training", batch_size=n)) for n in BATCHES},
        {f"training, {n} px": partial(cycle, _changed(run, "data", image_size=n)) for n in SIZES},
        {f"KNN, {n} identities": partial(knn, n, views, run.settings.evaluation.neighbours) for n in IDENTITIES},
    ]
    rows = [row for tasks in series for row in _rows(tasks)]
    training = run.settings.training
    title = f"a cycle of {REFERENCE} (width {training.width:g}, batch {training.batch_size}), KNN of one draw"
    ended = [row.what for row in rows if None in row.numbers.values()]
    said = [f"{what} did not come to its end, most likely for want of memory." for what in ended]
    note = (
        f"Each line is a process of its own; seconds are medians over {ROUNDS} rounds. MB are the most that it took "
        "beyond what it had before. The ratios are to the first line of each kind."
    )
    return Section("scaling", title, rows, [note, *said])


def _changed(run: Run, section: str, **changes: int) -> Run:
    part = getattr(run.settings, section).model_copy(update=changes)
    return replace(run, settings=run.settings.model_copy(update={section: part}))


def _rows(tasks: Mapping[str, Task]) -> list[Row]:
    found = {name: _tried(task) for name, task in tasks.items()}
    first = next((taken for taken in found.values() if taken), None)
    return [Row(name, _numbers(taken, first)) for name, taken in found.items()]


def _tried(task: Task) -> Taken | None:
    try:
        return apart(task)
    except (BrokenProcessPool, MemoryError, torch.OutOfMemoryError):
        return None


def _numbers(taken: Taken | None, first: Taken | None) -> dict[str, float | None]:
    names = ("seconds", "MB")
    if taken is None or first is None:
        return {**dict.fromkeys(names), **{f"{name}, ratio": None for name in names}}
    pairs = list(zip(names, taken, first, strict=True))
    return {**{name: now for name, now, _ in pairs}, **{f"{name}, ratio": now / then for name, now, then in pairs}}


def cycle(run: Run) -> Taken:
    """Return what a training cycle of the reference model takes."""
    fabric = material.opened(run)
    with material.made(run) as store:
        batches = material.batches(run, store, fabric.device)
        before = _memory(fabric.device)
        network = material.ready(run, REFERENCE, store, fabric)
        return _taken(lambda: network.cycle(batches, fabric, 0.5), fabric.device, before)


def knn(identities: int, views: int, neighbours: int) -> Taken:
    """Return what it takes to rank the true class of the outputs of one draw."""
    random = generator("speed", identities)
    labels = [np.repeat(np.arange(identities), count) for count in (TRAINED, TESTED * views)]
    train, test = (random.standard_normal((len(own), FEATURES), np.float32) for own in labels)
    device = torch.device("cpu")
    rank = partial(several_ranks, train, labels[0], test, labels[1], [neighbours])
    return _taken(rank, device, _memory(device))


def _taken(action: Action, device: torch.device, before: int) -> Taken:
    times = Stopwatch(device).times({"action": action}, ROUNDS)["action"]
    return median(times), (_most_memory(device) - before) / 1e6


def _memory(device: torch.device) -> int:
    """Return the bytes that the process, or its tensors on a GPU, take now."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else int(psutil.Process().memory_info().rss)


def _most_memory(device: torch.device) -> int:
    """Return the bytes that they took at most."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    lines = (line.split() for line in STATUS.read_text(encoding="utf-8").splitlines())
    return 1024 * next(int(words[1]) for words in lines if words[0] == "VmHWM:")
