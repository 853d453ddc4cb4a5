"""Measuring batch-norm statistics again after training."""

from collections.abc import Callable

import torch
from torch import nn


@torch.no_grad()
def refresh_batch_norm(network: nn.Module, forward: Callable[[], object], batches: int) -> None:
    """Replace the running statistics of `network` by the plain mean over `batches` calls of `forward`.

    The running averages of training lag behind weights that still move, and mix in what other steps fed through.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's way to ask for the cumulative mean
    network.train()
    for _ in range(batches):
        forward()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
