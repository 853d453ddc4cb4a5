"""One model on its way through the checks: built, trained for a few cycles as the training loop does it, and asked.

Each step is done once, when a check first asks for it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from benchmark import seeding
from benchmark.conformance.material import RandomBatches, arguments, spec
from benchmark.environment import open_fabric
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Progress
from benchmark.training.warm_up import HeldOut, warm_up
from models.interface import CycleReport, ModelSpec, ViewModel, WarmStart
from models.registry import Entry

T = TypeVar("T")
CYCLES = 6
STOPS = (1, 4)  # cycles after which the state is saved; of a schedule with two phases, one lies in each
COUNT = 5  # images that `generate` is given; not the batch size of the training


class FailedCheck(Exception):
    """A check found something; the message says what, and what to do about it."""


class SkippedCheck(Exception):
    """A check cannot be made; the message says why."""


def expect(condition: bool, sentence: str) -> None:
    """Fail the check with `sentence` unless `condition` holds."""
    if not condition:
        raise FailedCheck(sentence)


@dataclass(frozen=True)
class Cycle:
    """The report of a cycle, and the images that were drawn for it; `values` are the losses when it ended."""

    report: CycleReport
    values: Mapping[str, float]
    drawn: int


class Course:
    """A model that is set up, and trained when `go` is called.

    Attributes:
        cycles: the cycles done.
        touched: names of the parameters that some non-zero gradient came to.
        still: names of the generator's parameters that have the value they had before.
        state: copy of the model's state after training.
    """

    def __init__(self, model: ViewModel, of: ModelSpec) -> None:
        self.model, self.batches = model, RandomBatches(of)
        self.fabric = open_fabric("cpu")
        model.setup(self.fabric)
        self.cycles: list[Cycle] = []
        self.touched: set[str] = set()
        self.still: list[str] = []
        self.state: dict[str, Any] = {}

    def go(self, start: int = 0, folder: Path | None = None) -> None:
        """Do the cycles from `start` on and finish; write the states of STOPS to `folder`."""
        before = {key: p.detach().clone() for key, p in trainable(self.model).items()}
        if start == 0:
            self._warm_up()
        self.model.train()
        for cycle in range(start, CYCLES):
            seeding.seed_global("cycle", "verification", cycle)
            drawn = self.batches.images
            report = self.model.cycle(self.batches, self.fabric, cycle / CYCLES)
            expect(isinstance(report, CycleReport), f"cycle returns a {type(report).__name__}; return a CycleReport")
            values = {name: _value(loss) for name, loss in report.losses.items()}
            self.cycles.append(Cycle(report, values, self.batches.images - drawn))
            if folder is not None and cycle + 1 in STOPS:
                progress = Progress(cycle + 1, self.batches.images)
                checkpoint.save(self.model, progress, state_file(folder, cycle + 1))
        self.still = [key for key, p in trainable(self.model).items() if torch.equal(p, before[key])]
        self.finish()

    def _warm_up(self) -> None:
        """Take two steps of the warm start, if the method itself has one."""
        terms, size = self.model.warm_start, self.batches.spec.image_size
        if not isinstance(terms, WarmStart) or not terms.epochs:
            return
        network, none = getattr(self.model, terms.network), np.zeros(1, np.int64)
        held_out = HeldOut(np.zeros((1, size, size, 3), np.uint8), none, none, none)
        weights = {"view_weight": 1.0, "learning_rate_factor": 1.0}
        warm_up(network, self.batches, held_out, self.fabric, "warm-up", terms=terms, steps=2, epoch=1, **weights)

    def finish(self) -> None:
        """Do what the model does once after training, and keep the state."""
        seeding.seed_global("finish", "verification")
        self.model.finish(self.batches)
        self.state = {k: v.clone() if isinstance(v, Tensor) else v for k, v in self.model.state_dict().items()}

    def watch(self) -> None:
        """Note from now on which parameters of the generator get a gradient."""

        def touch(key: str, parameter: Tensor) -> None:
            if key not in self.touched and parameter.grad is not None and bool(parameter.grad.any()):
                self.touched.add(key)

        for key, parameter in trainable(self.model).items():
            parameter.register_post_accumulate_grad_hook(partial(touch, key))  # type: ignore[no-untyped-call]


def state_file(folder: Path, cycle: int) -> Path:
    """Return where the state after a cycle is kept."""
    return folder / f"after{cycle}.pt"


def trainable(model: ViewModel) -> dict[str, torch.nn.Parameter]:
    """Return the generator's trainable parameters by name: of all that is not for training only."""
    return {key: p for key, p in model.named_parameters() if p.requires_grad and model.keeps(key)}


def _value(loss: object) -> float:
    """Return a loss as a number; what is none counts as not a number."""
    try:
        return float(loss.detach() if isinstance(loss, Tensor) else loss)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        return float("nan")


class Step(Generic[T]):
    """A step of a trial. If it fails, the first check that asks for it gets the reason, later ones are skipped."""

    def __init__(self, make: "Callable[[Trial], T]", why: str) -> None:
        self.make, self.why = make, why

    def __get__(self, trial: "Trial", owner: type) -> T:
        if self in trial.broken:
            raise SkippedCheck(self.why)
        if self not in trial.made:
            try:
                trial.made[self] = self.make(trial)
            except SkippedCheck:
                raise
            except (Exception, SystemExit):
                trial.broken.add(self)
                raise
        made: T = trial.made[self]  # type: ignore[assignment]
        return made


def step(why: str) -> "Callable[[Callable[[Trial], T]], Step[T]]":
    """Make a method a step; `why` is what checks that need it are told if it failed."""
    return lambda make: Step(make, why)


class Trial:
    """A model, built for the small specification, trained for a few cycles and asked for images.

    Args:
        entry: where the model is found.
        folder: an existing folder for its files.
    """

    def __init__(self, entry: Entry, folder: Path) -> None:
        self.entry, self.folder, self.spec = entry, folder, spec()
        self.made: dict[object, object] = {}
        self.broken: set[object] = set()

    @step("it cannot be imported")
    def model(self) -> type[ViewModel]:
        """The class."""
        loaded = self.entry.load()
        named = getattr(loaded, "__name__", type(loaded).__name__)
        expect(isinstance(loaded, type) and issubclass(loaded, ViewModel), f"{named} is no subclass of ViewModel")
        return loaded

    def build(self, seed: int) -> ViewModel:
        """Return a new model, in the memory format of the training loop."""
        seeding.seed_global("weights", "verification", seed)
        return self.model(self.spec).to(memory_format=torch.channels_last)

    @step("it cannot be built")
    def built(self) -> ViewModel:
        """The model with the weights it has before training."""
        return self.build(0)

    @step("it cannot be built on the meta device")
    def shape(self) -> ViewModel:
        """The model without memory for its weights, which is how sizes are measured."""
        _ = self.built
        with torch.device("meta"):
            return self.model(self.spec)

    @step("the training run failed")
    def run(self) -> Course:
        """The training run."""
        course = Course(self.built, self.spec)
        course.watch()
        course.go(folder=self.folder)
        self.built.eval()
        return course

    @property
    def trained(self) -> Course:
        """The training run, unless it diverged."""
        if not all(math.isfinite(value) for cycle in self.run.cycles for value in cycle.values.values()):
            raise SkippedCheck("a loss is not finite")
        return self.run

    @step("generate failed")
    def output(self) -> Tensor:
        """Images of shape (COUNT, 3, S, S)."""
        given = arguments(self.spec, COUNT)
        before = [part.clone() for part in given]
        image = self.generate(self.trained.model, *given)
        expect(all(map(torch.equal, given, before)), "generate changes its arguments; work on copies")
        return image

    @step("generate is not repeatable")
    def repeated(self) -> Tensor:
        """The same images, if a second call gives them whatever the state of the random numbers."""
        first = self.output
        again = self.generate(self.trained.model, *arguments(self.spec, COUNT), seed=1)
        expect(
            torch.equal(first, again),
            "the same image, code and noise give another image the second time; generate must not draw random numbers, "
            "nor keep anything from call to call",
        )
        return again

    def generate(self, model: ViewModel, image: Tensor, code: Tensor, noise: Tensor, seed: int = 0) -> Tensor:
        """Return what a model generates, with the global random numbers seeded before; it must be images in [-1, 1]."""
        seeding.seed_global("generate", seed)
        with torch.no_grad():
            made = model.generate(image, code, noise)
        expect(isinstance(made, Tensor), f"generate returns a {type(made).__name__}; return a tensor")
        expect(
            made.shape == image.shape and made.dtype == torch.float32,
            f"generate returns {tuple(made.shape)} of {made.dtype} for images of shape {tuple(image.shape)}; "
            "return float32 of the shape of the images",
        )
        expect(bool(made.isfinite().all()), "generate returns values that are not finite")
        low, high = float(made.min()), float(made.max())
        expect(max(-low, high) <= 1, f"generate returns values from {low:.2f} to {high:.2f}; end with tanh")
        return made
