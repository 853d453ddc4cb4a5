"""Classes and images of the identity measurement, the same for all models."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.seeding import rng

SPLITS = ("random", "grouped")
LEAST_GROUPS = 2  # groups of an identity, one for each part of the grouped split

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """One repetition.

    Attributes:
        train: positions of the KNN's training images in the manifest.
        test: positions of the test images.
    """

    train: Positions
    test: Positions


def usable(manifest: pd.DataFrame, split: str) -> list[str]:
    """Return the sorted names of the standard identities that a split can use: for `grouped`, those of two groups."""
    standard = manifest[manifest["split"] == "standard"]
    if split == "random":
        return sorted(set(standard["identity"]))
    groups = standard.groupby("identity")["group"].nunique()
    return sorted(groups.index[groups >= LEAST_GROUPS])


def measurable(manifest: pd.DataFrame, sizes: Iterable[int]) -> tuple[list[tuple[str, int]], str]:
    """Return the (split, N_c) that can be measured, and one line about the grouped split for the user.

    The grouped split needs N_c identities of two groups or more. Where every group is a single image it would be the
    random split under another name, and is left out.

    Args:
        manifest: the split manifest.
        sizes: the wanted numbers of classes, each of which the random split has.
    """
    sizes, available = list(sizes), len(usable(manifest, "grouped"))
    random = [("random", nc) for nc in sizes]
    standard = manifest[manifest["split"] == "standard"]
    if not standard.duplicated(["identity", "group"]).any():
        return random, "grouped split: left out, every group is a single image"
    few = [str(nc) for nc in sizes if nc > available]
    account = f"grouped split: {available} of {standard['identity'].nunique()} identities have two groups or more"
    left_out = f"; too few for N_c {', '.join(few)}" if few else ""
    return [*random, *(("grouped", nc) for nc in sizes if nc <= available)], account + left_out


def draw(
    manifest: pd.DataFrame, dataset: str, nc: int, repetition: int, test_share: float, split: str = "random"
) -> Draw:
    """Draw N_c classes of the standard set and split their images, stratified by class.

    Paper, section 4.2: all images of the drawn classes, 8 : 2, every class in both parts. The split `random` deals
    images; each class keeps at least one for each part, whatever its size. The split `grouped`, which the paper does
    not have, deals whole groups of a class, so that no near duplicate of a test image trains the KNN; it draws from the
    identities of two groups or more, and its shares of images are as uneven as the groups.

    Args:
        manifest: the split manifest.
        dataset: name of the data set, one of the axes of the seed.
        nc: number of classes.
        repetition: number of the draw.
        test_share: share of the images, or of each class's groups, to test on.
        split: one of SPLITS.
    """
    axes = (dataset, nc, repetition) if split == "random" else (dataset, nc, repetition, split)
    names = np.array(usable(manifest, split), dtype=object)
    classes = rng("classes", *axes).choice(names, nc, replace=False)
    images = rng("images", *axes)
    identity, standard = manifest["identity"].to_numpy(), manifest["split"].to_numpy() == "standard"
    test = np.zeros(len(manifest), bool)
    drawn = np.zeros(len(manifest), bool)
    for name in sorted(classes):
        own = np.flatnonzero(standard & (identity == name))
        units = own if split == "random" else manifest["group"].to_numpy()[own]
        shuffled = images.permutation(np.unique(units))
        count = min(max(1, round(test_share * len(shuffled))), len(shuffled) - 1)  # neither none nor all
        drawn[own] = True
        test[own] = np.isin(units, shuffled[:count])
    return Draw(np.flatnonzero(drawn & ~test), np.flatnonzero(test))
