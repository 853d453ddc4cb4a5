"""A finished generator."""

from typing import TYPE_CHECKING

import torch

from benchmark.errors import BenchmarkError
from benchmark.making import building
from benchmark.run.artifacts import Artifact
from benchmark.training import checkpoint
from models.interface import ModelSpec, ViewModel

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from benchmark.run.workspace import Run


def load(run: "Run", model: str, folder: "Path", spec: "dict[str, Any]", device: torch.device) -> ViewModel:
    """Return the generator in a folder, in evaluation mode.

    Args:
        run: the run, with the plug-ins.
        model: its name.
        folder: which holds its weights.
        spec: what it was built for, as recorded.
        device: where to.

    Raises:
        BenchmarkError: the weights are missing, damaged, or do not fit.
    """
    network, weights = building.load(run, model)(ModelSpec(**spec)), folder / "generator.safetensors"
    try:
        checkpoint.load_weights(network, weights)
    except RuntimeError:  # what torch raises for weights of other shapes
        raise BenchmarkError(f"{weights} does not fit {model}, which has changed since; train it again") from None
    return network.to(device).to(memory_format=torch.channels_last).eval()


def load_finished(run: "Run", model: str, seed: int, device: torch.device) -> ViewModel:
    """Return the generator of a run that is done, see `load`."""
    cell = Artifact("generator", model, seed).cell(run)
    return load(run, model, cell.folder, cell.record["spec"], device)
