"""Networks compiled by `torch.compile`.

Each network that a model announces is compiled as a whole, at its first call and again for each way it is called:
with and without gradients. What a model computes with its networks themselves, such as CR-GAN's gradient penalty, whose
second derivative cannot be compiled, is not. The weights keep their names.

CUDA graphs (`mode="reduce-overhead"`) are not used: they hand out the same memory at every call of a network, while a
cycle still needs the pictures of one call after the next, and an optimiser its gradients.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn
from torch._dynamo.exc import TorchDynamoException
from torch.optim import Optimizer

from benchmark.errors import BenchmarkError

BACKEND = "inductor"


class CompilingFabric(Fabric):
    """Fabric that compiles every network it is given."""

    def setup(self, module: nn.Module, *optimizers: Optimizer, **options: Any) -> Any:
        """Compile and set up a network with its optimisers, as `Fabric.setup` does."""
        compiled: Any = torch.compile(module, backend=BACKEND, dynamic=False)
        return super().setup(compiled, *optimizers, **options)


@contextmanager
def compilable() -> Iterator[None]:
    """Say in one sentence if a network cannot be compiled.

    Raises:
        BenchmarkError: there is no compiler, or it fails.
    """
    try:
        yield
    except TorchDynamoException as error:
        reason = shorten(str(error).partition("\n\n")[0], 200)
        raise BenchmarkError(
            f"a network cannot be compiled here ({reason}); install a C++ compiler, or set training.compile=false"
        ) from error
