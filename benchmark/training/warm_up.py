"""The warm start of a network: training on real images alone, before the training of a model begins.

A discriminator that has to learn identities while the generator already trains against it learns them late, and until
then no gradient tells the generator of identity. No paper here does this; see docs/choices.md for what it is worth.
Two-Step trains one of its encoders in this way, as its authors do.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.data.pixels import to_float
from benchmark.errors import DivergedError
from benchmark.progress import progress
from models.interface import Batch, Batches, WarmStart

EVALUATE_EVERY = 250  # steps between two evaluations on the held-out images, at least
PATIENCE = 2  # evaluations without a higher accuracy after which the warm-up ends
PART = 256  # held-out images classified at once


@dataclass(frozen=True)
class HeldOut:
    """Images of the training identities that the warm-up does not train on.

    Attributes:
        images: all images of the store, of shape (N, S, S, 3), uint8; may be memory-mapped.
        rows: which of them are held out, of shape (M,).
        identity: their identities, of shape (M,).
        view: their views, of shape (M,).
    """

    images: NDArray[np.uint8]
    rows: NDArray[np.int64]
    identity: NDArray[np.int64]
    view: NDArray[np.int64]

    def batches(self, device: torch.device) -> Iterator[Batch]:
        """Yield all of them once, in their order."""
        for part in np.array_split(np.arange(len(self.rows)), -(-len(self.rows) // PART)):
            labels = (torch.tensor(values[part]).to(device) for values in (self.identity, self.view))
            yield Batch(to_float(self.images[self.rows[part]]).to(device), *labels)


@dataclass(frozen=True)
class Evaluation:
    """The accuracy on held-out images after a number of steps, as fractions; NaN for what the network does not tell."""

    steps: int
    identity: float
    view: float

    @property
    def decisive(self) -> float:
        """The accuracy that says which evaluation is the best: that of the identity, where there is one."""
        return self.view if math.isnan(self.identity) else self.identity


def warm_up(
    network: nn.Module,
    batches: Batches,
    held_out: HeldOut,
    fabric: Fabric,
    title: str = "warm-up",
    *,
    terms: WarmStart,
    steps: int,
    epoch: int,
    view_weight: float,
    learning_rate_factor: float,
) -> list[Evaluation]:
    """Train a network to tell identities and views of real images apart, until it no longer gets better.

    After every epoch, but not before EVALUATE_EVERY steps, and after the last step, its accuracy on held-out images is
    measured: that of the identity, or of the view if it does not tell identities apart. Training ends after
    `steps`, or earlier if the accuracy has not risen for PATIENCE evaluations. The network is left with the
    weights of the best one, in training mode.

    Args:
        network: as `ViewModel.warm_start_network` returns it.
        batches: where to draw real images from, none of them held out.
        held_out: what the accuracy is measured on.
        fabric: gradients go through `fabric.backward`.
        title: of the progress bar.
        terms: whose learning rate and betas Adam gets.
        steps: optimiser steps at most.
        epoch: steps of a pass over the training images.
        view_weight: weight of the cross entropy of the view beside that of the identity.
        learning_rate_factor: multiplies the learning rate.

    Returns:
        All evaluations; the first of the highest accuracy is the one whose weights are left.

    Raises:
        DivergedError: the loss is not finite.
    """
    network.to(fabric.device).to(memory_format=torch.channels_last)
    rate = terms.learning_rate * learning_rate_factor
    adam = torch.optim.Adam(network.parameters(), rate, betas=terms.betas, fused=True)
    wrapped, optimizer = fabric.setup(network, adam)
    every, found = max(EVALUATE_EVERY, epoch), list[Evaluation]()
    weights: dict[str, Tensor] = {}
    network.train()
    for step in progress(range(1, steps + 1), desc=title, total=steps, unit="step"):
        batch = batches.draw()
        identity, view = wrapped(batch.image)[:2]
        parts = [] if identity is None else [F.cross_entropy(identity, batch.identity)]
        parts += [] if view is None else [view_weight * F.cross_entropy(view, batch.view)]
        loss = torch.stack(parts).sum()
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        if step % every and step != steps:
            continue
        if not torch.isfinite(loss):
            raise DivergedError(f"the loss of the warm-up is {float(loss.detach())} in step {step}")
        found.append(_evaluate(network, held_out, fabric.device, step))
        if best(found) is found[-1]:
            weights = copy.deepcopy(network.state_dict())
        if found[-1].steps - best(found).steps >= PATIENCE * every:
            break
    network.load_state_dict(weights)
    return found


def best(found: list[Evaluation]) -> Evaluation:
    """Return the evaluation with the highest accuracy, the first of equal ones."""
    return max(found, key=lambda each: each.decisive)


@torch.no_grad()
def _evaluate(network: nn.Module, held_out: HeldOut, device: torch.device, step: int) -> Evaluation:
    network.eval()
    right = torch.zeros(2)
    for batch in held_out.batches(device):
        logits = network(batch.image)
        for head, labels in enumerate((batch.identity, batch.view)):
            right[head] += math.nan if logits[head] is None else (logits[head].argmax(1) == labels).sum().cpu()
    network.train()
    identity, view = (right / max(1, len(held_out.rows))).tolist()
    return Evaluation(step, identity, view)
