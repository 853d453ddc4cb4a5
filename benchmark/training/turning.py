"""What a generator draws at some point of its training."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from models.interface import NOISE, ViewModel, one_hot


@torch.no_grad()
def turned(model: ViewModel, images: Tensor) -> list[Tensor]:
    """Return for each view the images (B, 3, S, S) turned to it, on the CPU; the noise is zero, its mean."""
    device, views = next(model.parameters()).device, model.spec.views
    noise = torch.zeros(len(images), NOISE, device=device)
    codes = [one_hot(torch.full((len(images),), view, device=device), views) for view in range(views)]
    return [model.generate(images.to(device), code, noise).clamp(-1, 1).cpu() for code in codes]


@contextmanager
def evaluating(model: ViewModel) -> Iterator[None]:
    """Put the model in evaluation mode for the block; after it every module has its own mode back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
