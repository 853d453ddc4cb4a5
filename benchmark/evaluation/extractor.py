"""The two ResNet18 of the identity measurement: one for identities, an independent one for views.

Paper, section 4.2: trained on the auxiliary set; features of the last pooling layer. The paper names no recipe: here
the weights start at random, images are shifted and change their colours, and training ends by itself. The learning rate
stays at its highest until neither the accuracy on held-out images rises nor the loss in training falls, or as long as
the epochs that are allowed suffice, and then falls to 0 in a straight line over half as many epochs. The loss counts as
fine-grained photographs can stay at chance for many epochs before the accuracy rises at all.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from benchmark.data.pixels import to_float
from benchmark.evaluation import resnet
from benchmark.evaluation.resnet import Images, Rows
from benchmark.seeding import seed_global

ROUND = 50  # steps between two evaluations on the held-out images, at least; whole epochs
PATIENCE = 5  # evaluations without a higher accuracy or a lower loss after which the rate falls
LOWER = 0.01  # by which a loss has to be lower to count, as a share of it
RISE = 50  # steps in which the rate rises to its highest
FALL = 0.5  # epochs in which it falls, as a share of those before

State = dict[str, Any]


@dataclass(frozen=True)
class Labelled:
    """Images of the store with their labels.

    Attributes:
        rows: indices of the images, (M,).
        labels: 0 .. classes - 1, (M,).
        weights: of the images in the loss, with a mean of 1, (M,); empty where they are not trained on.
    """

    rows: Rows
    labels: Rows
    weights: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass
class Course:
    """The progress of a training run.

    Attributes:
        limit: epochs at most.
        epoch: epochs done.
        accuracy: the highest so far on held-out images, -1 before the first evaluation.
        loss: the lowest so far in training, the mean over the last epoch before an evaluation.
        waited: evaluations since either was better.
        falls_from: epoch after which the rate falls, None until that is known.
    """

    limit: int
    epoch: int = 0
    accuracy: float = -1.0
    loss: float = math.inf
    waited: int = 0
    falls_from: int | None = None

    @property
    def last(self) -> int:
        """The epoch with which the training run ends, as far as is known."""
        return self.limit if self.falls_from is None else min(self.limit, math.ceil((1 + FALL) * self.falls_from))

    @property
    def converged(self) -> bool:
        """Return whether nothing got better any more before the rate fell."""
        return self.falls_from is not None and (1 + FALL) * self.falls_from < self.limit

    def done(self, loss: float, accuracy: float | None) -> None:
        """Take in the loss of an epoch that is done, and the accuracy after it where that was measured."""
        self.epoch += 1
        if accuracy is not None:
            better = accuracy > self.accuracy or loss < (1 - LOWER) * self.loss
            self.waited = 0 if better else self.waited + 1
            self.accuracy = max(self.accuracy, accuracy)
            self.loss = min(self.loss, loss) if better else self.loss
        if self.falls_from is None and (self.waited >= PATIENCE or (1 + FALL) * self.epoch >= self.limit):
            self.falls_from = self.epoch

    def factor(self, epochs: float) -> float:
        """Return the share of the highest rate after so many epochs, without the rise at the start."""
        if self.falls_from is None or epochs < self.falls_from:
            return 1.0
        return max(0.0, (self.last - epochs) / (self.last - self.falls_from))


def balance(labels: Rows, others: Rows) -> NDArray[np.float32]:
    """Return weights of images under which each label counts the same, and in each label each other label that it has.

    Args:
        labels: what is learned, (M,).
        others: identities where views are learned, and the other way round, (M,).
    """
    cells, cell, count = np.unique(np.stack([labels, others]), axis=1, return_inverse=True, return_counts=True)
    of_label = np.bincount(cells[0])  # cells that each label has
    weights = 1 / (count[cell.ravel()] * of_label[labels])
    balanced: NDArray[np.float32] = (weights / weights.mean()).astype(np.float32)
    return balanced


def fit(
    images: Images,
    training: Labelled,
    held_out: Labelled,
    classes: int,
    device: torch.device,
    title: str,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    stem: str,
    after_epoch: Callable[[Callable[[], State]], None] = lambda state: None,
    resume: State | None = None,
) -> tuple[nn.Module, Course]:
    """Train a ResNet18 to tell the labels of images apart.

    Random numbers depend on title and epoch alone, so that a training run resumes after any epoch as if never stopped.

    Args:
        images: all images of the store, (N, S, S, 3), uint8.
        training: what is trained on.
        held_out: what the accuracy is measured on; without images the rate falls after half of the epochs.
        classes: number of labels.
        device: where to train.
        title: title of the progress bar.
        epochs: passes over the images, at most.
        batch_size: images in a batch.
        learning_rate: the highest rate.
        stem: as for `resnet.network`.
        after_epoch: called after each epoch with a function that returns the state; it can end the training by an
            exception.
        resume: the state to resume from.

    Returns:
        The trained network in evaluation mode, and its course.

    Raises:
        DivergedError: the last loss is not finite.
    """
    seed_global(title, "weights")
    network = resnet.network(classes, stem).to(device)
    targets, weights = torch.zeros(len(images), dtype=torch.int64), torch.zeros(len(images))
    targets[torch.tensor(training.rows)] = torch.tensor(training.labels)  # copies: pandas hands out read-only arrays
    weights[torch.tensor(training.rows)] = torch.tensor(training.weights)
    batches = max(1, len(training.rows) // batch_size)
    every, rise = -(-ROUND // batches), min(RISE, epochs * batches // 4 + 1)
    course = Course(epochs, **(resume["course"] if resume else {}))
    trained: dict[str, Any] = {"network": network}
    losses: list[Tensor] = []  # of the batches of an epoch

    def schedule(optimizer: Optimizer) -> LambdaLR:
        scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / rise) * course.factor(step / batches))
        trained.update(optimizer=optimizer, scheduler=scheduler)
        if resume:
            for name, part in trained.items():
                part.load_state_dict(resume[name])
        return scheduler

    def state() -> State:
        own = {key: value for key, value in asdict(course).items() if key != "limit"}
        return {"course": own, **{name: part.state_dict() for name, part in trained.items()}}

    def drawn() -> Iterator[Rows]:
        while course.epoch < course.last:
            seed_global(title, course.epoch)
            losses.clear()
            for chosen in torch.split(torch.randperm(len(training.rows)), batch_size)[:batches]:
                yield training.rows[chosen.numpy()]
            due = len(held_out.rows) and (course.epoch + 1) % every == 0
            mean = float(torch.stack(losses).mean())
            course.done(mean, mean_recall(recalls(network, images, held_out, classes, device)) if due else None)
            after_epoch(state)

    def loss(batch: Tensor, own: Rows) -> Tensor:
        logits, rows = network(batch.contiguous(memory_format=torch.channels_last)), torch.from_numpy(own)
        each = F.cross_entropy(logits, targets[rows].to(device), label_smoothing=0.1, reduction="none")
        mean = (each * weights[rows].to(device)).mean()
        losses.append(mean.detach())
        return mean

    left = (epochs - course.epoch) * batches
    resnet.fit(network, images, drawn(), loss, learning_rate, schedule, True, left, title, "extractor.learning_rate")
    return network, course


@torch.no_grad()
def recalls(
    network: nn.Module, images: Images, labelled: Labelled, classes: int, device: torch.device
) -> NDArray[np.float64]:
    """Return the share of the images of each label whose label is predicted, (classes,), NaN for labels without images.

    The network is measured in evaluation mode, and has its own mode back afterwards.
    """
    mode, right = network.training, []
    network.eval()
    for part in np.array_split(np.arange(len(labelled.rows)), -(-len(labelled.rows) // 256) or 1):
        predicted = network(to_float(images[labelled.rows[part]]).to(device)).argmax(1).cpu().numpy()
        right.append(predicted == labelled.labels[part])
    network.train(mode)
    count = np.bincount(labelled.labels, minlength=classes)
    with np.errstate(invalid="ignore"):
        share: NDArray[np.float64] = np.bincount(labelled.labels, np.concatenate(right), classes) / count
    return share


def mean_recall(of_labels: NDArray[np.float64]) -> float:
    """Return the mean over labels that have images, NaN if none has."""
    return float(np.nanmean(of_labels)) if np.isfinite(of_labels).any() else float("nan")
