"""The few-shot classifier: a ResNet18 from scratch that is told which of its training images are real.

Paper, section 4.3: the bit (1 real, 0 generated) is concatenated to the pooled feature, and a test image has 1. The
paper names no recipe. Here SGD with Nesterov momentum follows a cosine, and images are changed only where a condition
says so. Every condition gets the same number of steps, and each of its batches the same real images; added ones fill a
second half of the batch. Drawn from one pool with 20 added images for each, a real image would be seen a 21st as often
as without them, and a condition would be judged by what it takes away from the real images.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from benchmark.data.pixels import to_float
from benchmark.evaluation import resnet
from benchmark.evaluation.resnet import FEATURES, Images, Rows

PART = 256  # images classified at once


@dataclass(frozen=True)
class Recipe:
    """The training recipe of a classifier.

    Attributes:
        steps: optimiser steps.
        batch_size: real images in a batch; where images are added, as many of them stand beside the real ones.
        learning_rate: rate of the first step.
        stem: as for `resnet.network`.
        augment: whether images are shifted and change their colours.
    """

    steps: int
    batch_size: int
    learning_rate: float
    stem: str
    augment: bool = False


@dataclass(frozen=True)
class Examples:
    """Labelled images.

    Attributes:
        images: (N, S, S, 3), uint8.
        labels: classes of shape (N,), 0 .. C - 1.
        real: the bit of each image, whether it is marked as real, (N,), bool.
        added: how many of them, the last ones, are added to the others; below N.
    """

    images: Images
    labels: Rows
    real: NDArray[np.bool_]
    added: int = 0


class Classifier(nn.Module):
    """A ResNet18 whose last layer sees the bit beside the pooled feature."""

    def __init__(self, classes: int, stem: str) -> None:
        super().__init__()
        self.trunk = resnet.network(classes, stem)
        self.trunk.fc = nn.Identity()
        self.last = nn.Linear(FEATURES + 1, classes)

    def forward(self, images: Tensor, real: Tensor) -> Tensor:
        """Return logits of shape (B, C) for images of shape (B, 3, S, S) in [-1, 1] and bits of shape (B,)."""
        logits: Tensor = self.last(torch.cat([self.trunk(images), real.float()[:, None]], 1))
        return logits


def fit(examples: Examples, classes: int, recipe: Recipe, device: torch.device, title: str) -> Classifier:
    """Train a classifier with weights and batches drawn from torch's global generator.

    Args:
        examples: the training images.
        classes: number of classes C.
        recipe: how to train.
        device: where.
        title: title of the progress bar.

    Returns:
        The trained classifier in evaluation mode.

    Raises:
        DivergedError: the last loss is not finite.
    """
    classifier = Classifier(classes, recipe.stem).to(device)
    labels, real = torch.tensor(examples.labels), torch.tensor(examples.real)

    def loss(images: Tensor, rows: Rows) -> Tensor:
        return F.cross_entropy(classifier(images, real[rows].to(device)), labels[rows].to(device))

    resnet.fit(
        classifier,
        examples.images,
        _batches(examples, recipe),
        loss,
        recipe.learning_rate,
        partial(CosineAnnealingLR, T_max=recipe.steps),
        recipe.augment,
        recipe.steps,
        title,
        "fewshot.learning_rate",
    )
    return classifier


def _batches(examples: Examples, recipe: Recipe) -> Rows:
    """Draw the rows of each batch, of shape (steps, batch_size), or twice as wide where images are added.

    The order of the real images, which is drawn first, depends on torch's global generator and their number alone.
    """
    parts = [_in_turn(len(examples.labels) - examples.added, recipe)]
    if examples.added:
        parts.append(len(examples.labels) - examples.added + _in_turn(examples.added, recipe))
    return np.concatenate(parts, 1)


def _in_turn(count: int, recipe: Recipe) -> Rows:
    """Return rows below `count` of shape (steps, batch_size), in an order in which none comes again before all have."""
    needed = recipe.steps * recipe.batch_size
    order = torch.cat([torch.randperm(count) for _ in range(-(-needed // count))])[:needed]
    rows: Rows = order.numpy().reshape(recipe.steps, recipe.batch_size)
    return rows


@torch.no_grad()
def predict(classifier: Classifier, images: Images, device: torch.device) -> Rows:
    """Return the classes, of shape (N,), of real images of shape (N, S, S, 3)."""
    parts = np.array_split(images, -(-len(images) // PART))
    logits = [classifier(to_float(part).to(device), torch.ones(len(part), device=device)) for part in parts]
    predicted: Rows = torch.cat(logits).argmax(1).cpu().numpy()
    return predicted
