"""Few-shot recognition (paper, section 4.3): do added images help to recognise real ones?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from benchmark.data.image_store import ImageStore
from benchmark.evaluation.augmentation import Condition, examples
from benchmark.evaluation.classifier import PART, Recipe, fit, predict
from benchmark.seeding import seed, seed_global


@dataclass(frozen=True)
class Episode:
    """The task of one episode.

    Attributes:
        table: of `episodes.draw`.
        shots: numbers of real training images of a class.
    """

    table: pd.DataFrame
    shots: tuple[int, ...]

    @property
    def number(self) -> int:
        """Number of the episode."""
        return int(self.table["episode"].iloc[0])

    @property
    def ways(self) -> int:
        """Number of classes."""
        return int(self.table["label"].nunique())

    def training(self, shots: int) -> pd.DataFrame:
        """Return the rows to train on."""
        return self.table[self.table["order"] < shots]

    def test(self, shots: int) -> pd.DataFrame:
        """Return the rows to test on: all others."""
        return self.table[self.table["order"] >= shots]


def outcomes(
    episode: Episode,
    condition: Condition,
    store: ImageStore,
    recipe: Recipe,
    device: torch.device,
    training_seed: int,
    title: str,
) -> Iterator[pd.DataFrame]:
    """Yield for each number of shots a row for each test image.

    Images are added once, for the largest number of shots, and the smaller ones use a part of them. With one training
    seed, all conditions start from the same weights and see the real images in the same order.

    Args:
        episode: the episode.
        condition: what is added to the real images.
        store: where the images are.
        recipe: how to train.
        device: where to train.
        training_seed: of the classifier's weights and batches, and of the shuffling of labels.
        title: what the progress bar calls the condition.

    Yields:
        Columns shots, episode, image, identity, right (whether the class is predicted) and train_accuracy (the share of
        its own real training images that the same classifier recognises, as they are and marked as real; 0 to 1).
    """
    most = episode.training(max(episode.shots))
    added = condition.add(most["position"].to_numpy()) if condition.add else None
    for shots in episode.shots:
        few = (most["order"] < shots).to_numpy()
        real, labels = store.at(most["position"].to_numpy()[few]), most["label"].to_numpy()[few]
        training = examples(
            real,
            labels,
            None if added is None else added[few],
            condition,
            seed("few-shot shuffling", episode.number, shots, training_seed),
        )
        seed_global("few-shot", episode.number, shots, training_seed)
        named = f"{title}, episode {episode.number}, {shots} shots"
        classifier = fit(training, episode.ways, recipe, device, named)
        test = episode.test(shots)
        parts = np.array_split(test["position"].to_numpy(), -(-len(test) // PART))
        predicted = np.concatenate([predict(classifier, store.at(part), device) for part in parts])
        right = predicted == test["label"].to_numpy()
        fitted = np.mean(predict(classifier, real, device) == labels)
        columns = test[["episode", "image", "identity"]].reset_index(drop=True).astype({"episode": np.int32})
        yield columns.assign(right=right, shots=np.int32(shots), train_accuracy=fitted)
