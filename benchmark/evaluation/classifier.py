"""The few-shot classifier: a ResNet18 from scratch that is told which of its training images are real.

Paper, section 4.3: the bit (1 real, 0 generated) is concatenated to the pooled feature, and a test image has 1. The
paper names no recipe. Here SGD with Nesterov momentum follows a cosine, images are changed only where a condition says
so, and every condition gets the same number of steps: equal epochs would give a 21 times larger training set 21 times
the updates.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from benchmark.data.pixels import to_float
from benchmark.errors import DivergedError
from benchmark.evaluation.extractor import FEATURES, augmentation, augmented, network

Whole = NDArray[np.int64]

PART = 256  # images classified at once


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained.

    Attributes:
        steps: optimiser steps.
        batch_size: images in a batch, drawn from all training images, real or not.
        learning_rate: rate of the first step.
        stem: as for the extractors.
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
        real: whether each image is a photograph, (N,), bool.
    """

    images: NDArray[np.uint8]
    labels: Whole
    real: NDArray[np.bool_]


class Classifier(nn.Module):
    """A ResNet18 whose last layer sees the bit beside the pooled feature."""

    def __init__(self, classes: int, stem: str) -> None:
        super().__init__()
        self.trunk = network(classes, stem)
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
    optimizer = torch.optim.SGD(
        classifier.parameters(), recipe.learning_rate, 0.9, weight_decay=5e-4, nesterov=True, fused=True
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.steps)
    change = augmentation(examples.images.shape[1]) if recipe.augment else None
    for rows in tqdm(_batches(len(examples.labels), recipe), title, unit="batch", dynamic_ncols=True, disable=None):
        images = to_float(examples.images[rows])
        images = augmented(images, change) if change else images
        targets, real = (torch.tensor(part[rows]).to(device) for part in (examples.labels, examples.real))
        loss = F.cross_entropy(classifier(images.to(device), real), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    if not torch.isfinite(loss):
        raise DivergedError(f"{title}: the loss is not finite; lower fewshot.learning_rate")
    return classifier.eval()


def _batches(count: int, recipe: Recipe) -> list[Whole]:
    """Return the rows of every batch: all images in a random order, again and again."""
    needed = recipe.steps * recipe.batch_size
    order = torch.cat([torch.randperm(count) for _ in range(-(-needed // count))])[:needed]
    return list(order.numpy().reshape(recipe.steps, recipe.batch_size))


@torch.no_grad()
def predict(classifier: Classifier, images: NDArray[np.uint8], device: torch.device) -> Whole:
    """Return the classes, of shape (N,), of real images of shape (N, S, S, 3)."""
    parts = np.array_split(images, -(-len(images) // PART))
    logits = [classifier(to_float(part).to(device), torch.ones(len(part), device=device)) for part in parts]
    predicted: Whole = torch.cat(logits).argmax(1).cpu().numpy()
    return predicted
