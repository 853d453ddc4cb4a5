"""Which classes and images an identity measurement is made on; the same for all models."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.seeding import generator


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
    identity = manifest["identity"].to_numpy()
    standard = manifest["split"].to_numpy() == "standard"
    names = np.array(sorted(set(identity[standard])), dtype=object)
    classes = generator("classes", dataset, nc, repetition).choice(names, nc, replace=False)
    images = generator("images", dataset, nc, repetition)
    shuffled = [images.permutation(np.flatnonzero(standard & (identity == name))) for name in sorted(classes)]
    sizes = [min(max(1, round(test_share * len(own))), len(own) - 1) for own in shuffled]
    test = np.concatenate([own[:size] for own, size in zip(shuffled, sizes, strict=True)])
    train = np.concatenate([own[size:] for own, size in zip(shuffled, sizes, strict=True)])
    return Draw(np.sort(train), np.sort(test))
