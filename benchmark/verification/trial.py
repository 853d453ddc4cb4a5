"""One model on its way through the checks. Each step is done once, when a check first asks for it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor

from benchmark import seeding
from benchmark.verification.course import Course
from benchmark.verification.expectation import SkippedCheck, expect
from benchmark.verification.material import arguments, spec
from models.interface import ViewModel
from models.registry import Entry

T = TypeVar("T")
COUNT = 5  # images that `generate` is given; not the batch size of the training


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

    @step("the training failed")
    def run(self) -> Course:
        """The training."""
        course = Course(self.built, self.spec)
        course.watch()
        course.go(folder=self.folder)
        self.built.eval()
        return course

    @property
    def trained(self) -> Course:
        """The training, unless it diverged."""
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
