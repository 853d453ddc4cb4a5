"""A finished training, found again."""

from typing import Any

import torch

from benchmark.cells import Cell
from benchmark.data.images import ImageStore
from benchmark.errors import BenchmarkError
from benchmark.stages import building, train
from benchmark.training import checkpoint, loop
from benchmark.workspace import Run
from models.interface import ViewModel


def finished(run: Run, model: str, seed: int, store: ImageStore, device: torch.device) -> Cell:
    """Return the cell of a model that is trained from what the settings, data and sources say now.

    Raises:
        BenchmarkError: there is none.
    """
    found = train.cell(run, model, seed, store, device.type)
    decision = found.decide()
    if decision.action != "skip":
        raise BenchmarkError(
            f"{found.folder} holds no finished training of these settings ({decision.reason}); "
            f"run `benchmark run --model {model}` or `dvc repro`"
        )
    return found


def made_by(run: Run, model: str, seed: int, store: ImageStore, device: torch.device) -> dict[str, Any]:
    """Return a trained model's weights and all they come from, for the fingerprint of what is made with it."""
    found = finished(run, model, seed, store, device)
    return {"training": found.fingerprint, "weights_hash": found.record["weights_hash"]}


def generator(run: Run, model: str, seed: int, store: ImageStore, device: torch.device) -> ViewModel:
    """Return a trained generator in evaluation mode."""
    found = finished(run, model, seed, store, device)
    network = building.build(run, model, store)
    checkpoint.load_weights(network, loop.Files(found.folder).weights)
    return network.to(device).to(memory_format=torch.channels_last).eval()
