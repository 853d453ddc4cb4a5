"""A whole, very short training, cycle by cycle as the training loop does it, with what is seen on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmark import seeding
from benchmark.environment import open_fabric
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Progress
from benchmark.verification.expectation import expect
from benchmark.verification.material import RandomBatches
from models.interface import CycleReport, ModelSpec, ViewModel

CYCLES = 6
STOPS = (1, 4)  # cycles after which the state is saved; of a schedule with two phases, one lies in each


@dataclass(frozen=True)
class Cycle:
    """What a cycle reported, and the images that were drawn for it; `values` are the losses when it ended."""

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
        self.model.train()
        for cycle in range(start, CYCLES):
            self.cycles.append(self._cycle(cycle))
            if folder is not None and cycle + 1 in STOPS:
                progress = Progress(cycle + 1, self.batches.images)
                checkpoint.save(self.model, progress, state_file(folder, cycle + 1))
        self.still = [key for key, p in trainable(self.model).items() if torch.equal(p, before[key])]
        self.finish()

    def finish(self) -> None:
        """Do what the model does once after training, and keep the state."""
        seeding.seed_global("finish", "verification")
        self.model.finish(self.batches)
        self.state = {k: v.clone() if isinstance(v, Tensor) else v for k, v in self.model.state_dict().items()}

    def _cycle(self, cycle: int) -> Cycle:
        seeding.seed_global("cycle", "verification", cycle)
        before = self.batches.images
        report = self.model.cycle(self.batches, self.fabric, cycle / CYCLES)
        expect(isinstance(report, CycleReport), f"cycle returns a {type(report).__name__}; return a CycleReport")
        return Cycle(report, {k: _value(v) for k, v in report.losses.items()}, self.batches.images - before)

    def watch(self) -> None:
        """Note from now on which parameters of the generator get a gradient."""
        for key, parameter in trainable(self.model).items():
            parameter.register_post_accumulate_grad_hook(lambda p, key=key: self._touch(key, p))  # type: ignore[no-untyped-call]

    def _touch(self, key: str, parameter: Tensor) -> None:
        if key not in self.touched and parameter.grad is not None and bool(parameter.grad.any()):
            self.touched.add(key)


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
