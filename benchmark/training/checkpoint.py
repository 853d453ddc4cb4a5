"""The state of a training run that was interrupted, and the weights of one that is done."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmark.errors import BenchmarkError, is_of_memory
from benchmark.files import check_access, replacing
from benchmark.training.costs import Costs
from models.interface import ViewModel


@dataclass(frozen=True)
class Progress:
    """The progress of a training run: cycles and real images done, and what they cost."""

    cycle: int = 0
    images: int = 0
    costs: Costs = field(default_factory=Costs)


def save(
    model: ViewModel,
    progress: Progress,
    path: Path,
    average: Mapping[str, Tensor] | None = None,
    guard: Callable[[], None] = lambda: None,
) -> None:
    """Write all that the next cycle depends on; the random numbers are not part of it, each cycle seeds its own.

    `average` holds the values of an `Average`, where there is one; `guard` is that of `replacing`.
    """
    optimizers = {name: optimizer.state_dict() for name, optimizer in model.optimizers.items()}
    state = {"model": model.state_dict(), "optimizers": optimizers, "average": dict(average or {}), **asdict(progress)}
    with replacing(path, guard) as temporary:
        torch.save(state, temporary)


def restore(
    model: ViewModel, path: Path, device: torch.device, average: Mapping[str, Tensor] | None = None
) -> Progress:
    """Load what `save` wrote, the values of an `Average` into `average`, and return how far the run is.

    Raises:
        BenchmarkError: the file is damaged, or belongs to another model or an older version of the suite.
    """
    with restoring(path):
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for name, optimizer in model.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for name, value in (average or {}).items():
            value.copy_(state["average"][name])
        return Progress(int(state["cycle"]), int(state["images"]), Costs(**state["costs"]))


@contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Turn whatever the reading of the checkpoint `path` raises into one sentence.

    Raises:
        BenchmarkError: it is damaged, of an older version, or may not be read.
    """
    try:
        yield
    except Exception as error:  # torch reports damage by many types, from RuntimeError to UnpicklingError and EOFError
        if is_of_memory(error):  # the file can be in order
            raise
        check_access(error, path)
        reason = type(error).__name__
        raise BenchmarkError(
            f"{path} is damaged or not of this version ({reason}); delete it to train from the beginning"
        ) from error


def save_weights(model: ViewModel, path: Path, guard: Callable[[], None] = lambda: None) -> None:
    """Write the weights that `generate` needs, as safetensors; `guard` is that of `replacing`."""
    weights = {k: v.contiguous() for k, v in model.state_dict().items() if model.keeps(k)}
    with replacing(path, guard) as temporary:
        save_file(weights, temporary)


def load_weights(model: ViewModel, path: Path) -> None:
    """Load what `save_weights` wrote; the networks that only training needs keep their values.

    Raises:
        BenchmarkError: the file is missing, damaged, or of another model.
    """
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:  # it calls missing what may not be read, too
        check_access(error, path)
        if isinstance(error, FileNotFoundError):
            raise BenchmarkError(f"{path} is missing; train the model first with `benchmark run`") from None
        raise BenchmarkError(f"{path} is damaged ({error}); `benchmark run` makes it again") from error
    missing = {k for k in model.state_dict() if model.keeps(k)} ^ set(weights)
    if missing:
        raise BenchmarkError(f"{path} does not belong to this model: {sorted(missing)[0]} is in one of them only")
    model.load_state_dict(weights, strict=False)
