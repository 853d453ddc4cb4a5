"""Which classes and images an identity measurement is made on; the same for all models."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from benchmark.seeding import generator, seed


@dataclass(frozen=True)
class Draw:
    """One repetition.

    Attributes:
        train: positions of the KNN's training images in the manifest.
        test: positions of the test images.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def draw(manifest: pd.DataFrame, dataset: str, nc: int, repetition: int, test_share: float) -> Draw:
    """Draw N_c classes of the standard set and split their images at random, stratified by class.

    Paper, section 4.2: all images of the drawn classes, 8 : 2, every class in both parts. Each class keeps at least
    one image for each part, whatever its size.

    Args:
        manifest: the split manifest.
        dataset: name of the data set, one of the axes of the seed.
        nc: number of classes.
        repetition: number of the draw.
        test_share: share of the images to test on.
    """
    standard = manifest["split"].to_numpy() == "standard"
    names = np.array(sorted(manifest.loc[standard, "identity"].unique()), dtype=object)
    classes = generator("classes", dataset, nc, repetition).choice(names, nc, replace=False)
    positions = np.flatnonzero(standard & manifest["identity"].isin(list(classes)).to_numpy())
    train, test = train_test_split(
        positions,
        test_size=test_share,
        stratify=manifest["identity"].to_numpy()[positions],
        random_state=seed("images", dataset, nc, repetition) % 2**32,
    )
    return Draw(np.sort(train), np.sort(test))
