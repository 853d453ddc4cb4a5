"""The training loop: it knows the contract of `ViewModel` and no model."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch
from lightning_fabric import Fabric
from torch import Tensor

from benchmark import seeding
from benchmark.errors import DivergedError, InterruptedRun
from benchmark.progress import progress
from benchmark.training import checkpoint
from benchmark.training.average import Average
from benchmark.training.checkpoint import Progress
from benchmark.training.costs import Meter
from benchmark.training.interruption import stoppable
from benchmark.training.log import Log
from models.interface import Batches, ViewModel


@dataclass(frozen=True)
class Files:
    """The place where a training run keeps its state.

    Attributes:
        folder: of all its files.
        guard: called right before a checkpoint or the weights replace a file; it can refuse that by an exception.
    """

    folder: Path
    guard: Callable[[], None] = lambda: None

    @property
    def checkpoint(self) -> Path:
        """State of an unfinished training."""
        return self.folder / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """Losses."""
        return self.folder / "log.csv"

    @property
    def weights(self) -> Path:
        """Weights of the finished generator."""
        return self.folder / "generator.safetensors"


@dataclass(frozen=True)
class Schedule:
    """Length of a training run, and how often it writes.

    Attributes:
        images: budget in real images used by generator-side updates.
        log_every: cycles between two rows of the log.
        checkpoint_seconds: time between two checkpoints; 0: one after every cycle.
        axes: what the random numbers of a cycle depend on, besides the cycle.
        average: decay of the EMA of the weights that is kept in the end, see `Average`; 0 keeps the last weights.
    """

    images: int
    log_every: int
    checkpoint_seconds: float
    axes: tuple[str | int, ...]
    average: float = 0.0


def train(model: ViewModel, batches: Batches, fabric: Fabric, schedule: Schedule, files: Files, name: str) -> Progress:
    """Train until the budget is used, from the last checkpoint if there is one, and write the generator's weights.

    The checkpoint stays: only the caller knows when the weights are on record and it is no longer needed.

    Fabric's loggers get the rows of the log, with the images used as step. Its callbacks can look at the model
    `between_cycles` and `after_training`.

    Returns:
        What was done: the images of the budget, or up to one cycle more.

    Raises:
        InterruptedRun: SIGINT, SIGTERM or SIGHUP came; a checkpoint holds the state.
        DivergedError: a loss is not finite.
        BenchmarkError: the checkpoint is damaged.
    """
    model.to(fabric.device).to(memory_format=torch.channels_last)
    model.setup(fabric)
    average, path = Average(model, schedule.average, model.spec.batch_size), files.checkpoint
    done = checkpoint.restore(model, path, fabric.device, average.values) if path.exists() else Progress()
    cycle, images, log, meter = done.cycle, done.images, Log(files.log, done.cycle), Meter(fabric.device, done.costs)
    model.train()
    saved = monotonic()
    bar = progress(total=schedule.images, initial=images, desc=name, unit="img")
    with stoppable() as stop, bar:
        while images < schedule.images:
            seeding.seed_global("cycle", *schedule.axes, cycle)
            report = model.cycle(batches, fabric, images / schedule.images)
            cycle, images = cycle + 1, images + report.images
            average.update(model, report.images, images)
            if cycle % schedule.log_every == 0 or images >= schedule.images:
                losses = _finite(report.losses, cycle)
                log.add(cycle, images, losses)
                fabric.log_dict({f"losses/{key}": value for key, value in losses.items()}, images)
                meter.read()
                bar.set_postfix({key: f"{value:.2f}" for key, value in losses.items()}, refresh=False)
            if images < schedule.images:
                fabric.call("between_cycles", model, cycle, images)
            bar.update(report.images)
            if stop.asked or monotonic() - saved >= schedule.checkpoint_seconds:
                _finite(report.losses, cycle)  # a checkpoint must not keep a state that cannot recover
                log.sync()
                checkpoint.save(model, Progress(cycle, images, meter.read()), path, average.values, files.guard)
                saved = monotonic()
            if stop.asked:
                raise InterruptedRun(f"saved after cycle {cycle}; the same command resumes from there")
    average.put_into(model)
    seeding.seed_global("finish", *schedule.axes)
    with torch.compiler.set_stance("force_eager"):  # batches that come once are not worth compiling for
        model.finish(batches)
    log.sync()
    checkpoint.save_weights(model, files.weights, files.guard)
    fabric.call("after_training", model, images)
    return Progress(cycle, images, meter.read())


def _finite(losses: Mapping[str, Tensor], cycle: int) -> dict[str, float]:
    values = {key: float(value) for key, value in losses.items()}
    for key, value in values.items():
        if not math.isfinite(value):
            raise DivergedError(f"the loss {key} is {value} in cycle {cycle}")
    return values
