"""A trained generator, found and opened: that of the run, or else the one that comes with stored results."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmark.cells import RECORD, Cell
from benchmark.errors import BenchmarkError
from benchmark.stages import building, shipped, train
from benchmark.training import checkpoint, loop
from benchmark.workspace import Run
from models.interface import ModelSpec, ViewModel


@dataclass(frozen=True)
class Found:
    """A trained generator on the disk.

    Attributes:
        folder: where its weights are.
        spec: what it is built for.
        shipped: whether it comes with stored results, and not from a training of the run.
    """

    folder: Path
    spec: ModelSpec
    shipped: bool


def find(run: Run, model: str, seed: int) -> Found:
    """Return the generator that the run has trained, or the one that comes with the results stored of its profile.

    Raises:
        BenchmarkError: there is neither, or it is damaged or of other settings.
    """
    own = Cell(run.folder / train.place(model, seed), {})
    if own.record.get("status") == "done":
        print(f"{model} seed {seed}: the generator trained in {own.folder}")
        return Found(own.folder, _spec(run, own.folder, own.record.get("fingerprint")), shipped=False)
    missing = f"{own.folder} holds no trained generator"
    stored = shipped.cell(run, model, seed, shipped.reference(run))
    if run.name == run.settings.name and stored.folder.exists():  # a run of another name has other settings
        decision = stored.decide()
        if decision.action == "skip":
            print(f"{model} seed {seed}: not trained in {run.folder}; the generator that comes in {stored.folder}")
            return Found(stored.folder, _spec(run, stored.folder, stored.record.get("training")), shipped=True)
        missing += f", and that in {stored.folder} cannot be used ({decision.reason})"
    raise BenchmarkError(f"{missing}; run `benchmark run --model {model}` first")


def _spec(run: Run, folder: Path, training: Any) -> ModelSpec:
    """Return what a generator is built for, from what is recorded of its training."""
    try:
        spec = ModelSpec(**training["spec"])
    except (KeyError, TypeError):
        raise BenchmarkError(f"{folder / RECORD} is damaged; delete {folder} and train again") from None
    wanted = run.settings.data.image_size, len(run.settings.data.views)
    if (spec.image_size, spec.views) != wanted:
        raise BenchmarkError(
            f"{folder} was trained for {spec.views} views of {spec.image_size} px, the settings ask for "
            f"{wanted[1]} of {wanted[0]} px; train again or set them back"
        )
    return spec


def load(run: Run, model: str, found: Found, device: torch.device) -> ViewModel:
    """Return a trained generator in evaluation mode, built as its record says."""
    network, weights = building.entry(run, model).load()(found.spec), loop.Files(found.folder).weights
    try:
        checkpoint.load_weights(network, weights)
    except RuntimeError:  # what torch raises for weights of other shapes
        raise BenchmarkError(f"{weights} does not fit {model}, which has changed since; train it again") from None
    return network.to(device).to(memory_format=torch.channels_last).eval()
