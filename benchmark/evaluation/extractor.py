"""The two ResNet18 of the measurement: one for identities, an independent one for views.

Paper, section 4.2: trained on the auxiliary set; features of the last pooling layer. The paper names no recipe: here
the weights start at random, SGD with Nesterov momentum follows a one-cycle learning rate, images are shifted and change
their colours but are never flipped, since a flip changes the view.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import resnet18
from torchvision.transforms import v2
from tqdm import tqdm

from benchmark.data.pixels import to_float

FEATURES = 512  # width of ResNet18's last pooling layer
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]

CHUNK = 8  # images that share one draw of the augmentation


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        epochs: passes over the images.
        batch_size: images in a batch.
        learning_rate: the highest rate of the cycle.
        stem: `stock` is torchvision's, `small` a 3x3 stride-1 convolution without max-pool.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    stem: str


def network(classes: int, stem: str) -> nn.Module:
    """Return an untrained ResNet18 with `classes` outputs."""
    resnet: nn.Module = resnet18(num_classes=classes)
    if stem == "small":
        resnet.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        resnet.maxpool = nn.Identity()
    return resnet


def augmentation(size: int) -> Callable[[Tensor], Tensor]:
    """Return random shifts by up to an eighth of the image and random colours; no flip."""
    shift = size // 8
    transform: Callable[[Tensor], Tensor] = v2.Compose(
        [
            v2.RandomCrop(size, padding=shift, padding_mode="edge"),
            v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.5, hue=0.5),
            v2.RandomGrayscale(0.2),
        ]
    )
    return transform


def augmented(images: Tensor, augment: Callable[[Tensor], Tensor]) -> Tensor:
    """Return images of shape (B, 3, S, S) in [-1, 1], changed at random in groups of CHUNK."""
    unit = images.add(1.0).div(2.0)  # colour changes are defined on [0, 1]
    return torch.cat([augment(part) for part in torch.split(unit, CHUNK)]).mul(2.0).sub(1.0)


def fit(
    images: Images, rows: Labels, labels: Labels, classes: int, recipe: Recipe, device: torch.device, name: str
) -> nn.Module:
    """Train a ResNet18 to tell the labels of images apart.

    Args:
        images: all images of the store, (N, S, S, 3), uint8.
        rows: indices of the training images.
        labels: their labels, 0 .. classes - 1.
        classes: number of labels.
        recipe: how to train.
        device: where.
        name: title of the progress bar.

    Returns:
        The trained network in evaluation mode.
    """
    resnet = network(classes, recipe.stem).to(device).to(memory_format=torch.channels_last)
    batches = max(1, len(rows) // recipe.batch_size)
    steps = recipe.epochs * batches
    optimizer = torch.optim.SGD(
        resnet.parameters(), recipe.learning_rate, 0.9, weight_decay=5e-4, nesterov=True, fused=True
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, steps)
    augment = augmentation(images.shape[1])
    targets = torch.tensor(labels)  # a copy: pandas hands out read-only arrays
    with tqdm(total=steps, desc=name, unit="batch", dynamic_ncols=True, mininterval=1.0, disable=None) as bar:
        for _ in range(recipe.epochs):
            for chosen in torch.split(torch.randperm(len(rows)), recipe.batch_size)[:batches]:
                batch = augmented(to_float(images[rows[chosen.numpy()]]), augment).to(device)
                batch = batch.contiguous(memory_format=torch.channels_last)
                loss = F.cross_entropy(resnet(batch), targets[chosen].to(device), label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                scheduler.step()
                bar.update()
    return resnet.eval()


@torch.no_grad()
def accuracy(resnet: nn.Module, images: Images, rows: Labels, labels: Labels, device: torch.device) -> float:
    """Return the share of images whose label is predicted, NaN without images."""
    right, targets = 0, torch.tensor(labels)
    for part in torch.split(torch.arange(len(rows)), 256):
        logits = resnet(to_float(images[rows[part.numpy()]]).to(device))
        right += int((logits.argmax(1).cpu() == targets[part]).sum())
    return right / len(rows) if len(rows) else math.nan


@torch.no_grad()
def pooled_features(resnet: nn.Module, images: Tensor) -> Tensor:
    """Return the output of the last pooling layer, of shape (B, 512), for images of shape (B, 3, S, S) in [-1, 1]."""
    trunk = nn.Sequential(*list(resnet.children())[:-1])
    features: Tensor = trunk(images).flatten(1)
    return features
