"""The two ResNet18 of the identity measurement: one for identities, an independent one for views.

Paper, section 4.2: trained on the auxiliary set; features of the last pooling layer. The paper names no recipe: here
the weights start at random, a one-cycle learning rate is followed, and images are shifted and change their colours.
"""

import math
from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from benchmark.data.pixels import to_float
from benchmark.evaluation import resnet
from benchmark.evaluation.resnet import Images, Rows


def fit(
    images: Images,
    rows: Rows,
    labels: Rows,
    classes: int,
    device: torch.device,
    title: str,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    stem: str,
) -> nn.Module:
    """Train a ResNet18 to tell the labels of images apart, with draws from torch's global generator.

    Args:
        images: all images of the store, (N, S, S, 3), uint8.
        rows: indices of the training images, (M,).
        labels: their labels, 0 .. classes - 1, (M,).
        classes: number of labels.
        device: where to train.
        title: title of the progress bar.
        epochs: passes over the images.
        batch_size: images in a batch.
        learning_rate: the highest rate of the cycle.
        stem: as for `resnet.network`.

    Returns:
        The trained network in evaluation mode.

    Raises:
        DivergedError: the last loss is not finite.
    """
    network = resnet.network(classes, stem).to(device).to(memory_format=torch.channels_last)
    targets = torch.zeros(len(images), dtype=torch.int64)
    targets[torch.tensor(rows)] = torch.tensor(labels)  # copies: pandas hands out read-only arrays
    batches = max(1, len(rows) // batch_size)
    steps = epochs * batches

    def drawn() -> Iterator[Rows]:
        for _ in range(epochs):
            for chosen in torch.split(torch.randperm(len(rows)), batch_size)[:batches]:
                yield rows[chosen.numpy()]

    def loss(batch: Tensor, own: Rows) -> Tensor:
        logits = network(batch.contiguous(memory_format=torch.channels_last))
        return F.cross_entropy(logits, targets[torch.from_numpy(own)].to(device), label_smoothing=0.1)

    schedule = partial(OneCycleLR, max_lr=learning_rate, total_steps=steps)
    setting = "extractor.learning_rate"
    resnet.fit(network, images, drawn(), loss, learning_rate, schedule, True, steps, title, setting)
    return network


@torch.no_grad()
def accuracy(network: nn.Module, images: Images, rows: Rows, labels: Rows, device: torch.device) -> float:
    """Return the share of images whose label is predicted, NaN without images."""
    right, targets = 0, torch.tensor(labels)
    for part in torch.split(torch.arange(len(rows)), 256):
        logits = network(to_float(images[rows[part.numpy()]]).to(device))
        right += int((logits.argmax(1).cpu() == targets[part]).sum())
    return right / len(rows) if len(rows) else math.nan
