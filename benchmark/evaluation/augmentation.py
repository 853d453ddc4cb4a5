"""Training images of the few-shot classifier: real ones, and those that a generator or a control adds to them.

Paper, section 4.3: 20 generated images for each real one, with its label; view codes between neighbouring views make
the images of one input differ. Added images have a half of each batch of their own (`classifier.Recipe`), so that the
real ones are seen equally often in every condition.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_uint8
from benchmark.evaluation.classifier import Examples
from benchmark.evaluation.generate import Generate, Positions, generate_by_codes, inputs
from benchmark.seeding import rng
from models.interface import NOISE, ViewModel

Pixels = NDArray[np.uint8]
Augmenter = Callable[[Positions], Pixels]  # positions in the manifest (N,) -> added images (N, count, S, S, 3)

AT_ONCE = 256 * 96**2  # pixels of the images generated at once, for the memory: 256 images of 96 px, 47 of 224 px


@dataclass(frozen=True)
class Condition:
    """A condition of few-shot recognition: what is added to the real images, and how.

    Attributes:
        add: makes the added images; None: nothing is added.
        real: whether the added images are marked as real.
        shuffled: whether the labels of the added images are shuffled; those of the real ones never are.
        augmented: whether all images are shifted and change their colours while training.
    """

    add: Augmenter | None = None
    real: bool = False
    shuffled: bool = False
    augmented: bool = False


def examples(
    real: Pixels, labels: NDArray[np.int64], added: Pixels | None, condition: Condition, seed: int
) -> Examples:
    """Return the training images of an episode, the real ones first.

    Args:
        real: the real images (N, S, S, 3).
        labels: their classes (N,).
        added: what `condition.add` made of them, (N, count, S, S, 3).
        condition: the condition.
        seed: of the shuffling.
    """
    if added is None:
        return Examples(real, labels, np.ones(len(real), bool))
    own = np.repeat(labels, added.shape[1])
    own = np.random.default_rng(seed).permutation(own) if condition.shuffled else own
    marked = np.concatenate([np.ones(len(real), bool), np.full(len(own), condition.real)])
    return Examples(np.concatenate([real, *added]), np.concatenate([labels, own]), marked, len(own))


def interpolated_codes(count: int, views: int) -> Tensor:
    """Return view codes of shape (count, N_a) that go in equal steps from the first view to the last.

    Each lies on the straight line between two neighbouring views; views that are no neighbours are never mixed, which
    would draw two ghosts into one picture.
    """
    along = torch.linspace(0, views - 1, count)
    return (1 - (along[:, None] - torch.arange(views)).abs()).clamp(min=0)


def noise(position: int, count: int) -> Tensor:
    """Return the noise (count, 128) that every model gets for the images it makes of one input."""
    return torch.from_numpy(rng("few-shot noise", position).standard_normal((count, NOISE), np.float32))


def generated(model: ViewModel, store: ImageStore, count: int) -> Augmenter:
    """Return the augmenter of a trained generator; the model is diversified and in evaluation mode afterwards."""
    model.eval().diversify()
    codes = interpolated_codes(count, model.spec.views)

    def turned(positions: Positions) -> Pixels:
        images = inputs(store, positions).repeat_interleave(count, 0)
        drawn = torch.cat([noise(int(position), count) for position in positions])
        return to_uint8(generate_by_codes(model, images, codes.repeat(len(positions), 1), drawn))

    def add(positions: Positions) -> Pixels:
        needed = -(-len(positions) * count * store.images.shape[1] ** 2 // AT_ONCE)
        parts = np.array_split(positions, min(len(positions), needed))
        made = np.concatenate([turned(part) for part in parts])
        return made.reshape(len(positions), count, *made.shape[1:])

    return add


def copies(store: ImageStore, count: int) -> Augmenter:
    """Return the augmenter that adds each input `count` times."""
    return lambda positions: np.repeat(store.at(positions)[:, None], count, 1)


def control(name: str, store: ImageStore, count: int) -> Condition:
    """Return the condition of one of the few-shot controls, but for `oracle`, which needs the renderer.

    `real_repeated` fills the half of a batch that is meant for added images with the real ones once more: each is seen
    twice as often as in the other conditions, which shows what a full batch does without any new image. The labels that
    are shuffled are those of copies: with images of a model, its own quality would be mixed in.
    """
    added = copies(store, count)
    return {
        "no_augmentation": Condition(),
        "real_repeated": Condition(added, real=True),
        "standard_augmentation": Condition(augmented=True),
        "copy": Condition(added),
        "shuffled_labels": Condition(added, shuffled=True),
    }[name]


def nearest_views(generate: Generate, views: int, count: int) -> Augmenter:
    """Return the augmenter of a control, which knows pure views alone: for each interpolated code the nearest one's."""
    nearest = interpolated_codes(count, views).argmax(1).numpy()
    return lambda positions: np.stack([to_uint8(generate(positions, view)) for view in range(views)], 1)[:, nearest]
