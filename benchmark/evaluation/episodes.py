"""Classes and images that the few-shot measurement trains and tests on, the same for all models.

Paper, section 4.3: N_c classes of the standard set, s images of each to train on, all their other images to test on.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError
from benchmark.seeding import rng

NAMED = 10  # classes an error names
LEAST = 2  # ways without which there is nothing to tell apart


def check(manifest: pd.DataFrame, ways: int, shots: Sequence[int]) -> None:
    """Refuse a data set whose standard set has too few classes for the episodes.

    Raises:
        BenchmarkError: fewer than `ways` classes have an image to test on beside the training images; it names the
            classes that are too small.
    """
    sizes = _sizes(manifest)
    small = sizes[sizes <= max(shots)]
    if len(sizes) - len(small) < ways:
        named = ", ".join(f"{name} ({size})" for name, size in small.head(NAMED).items()) or "none"
        more = f" and {len(small) - NAMED} more" if len(small) > NAMED else ""
        raise BenchmarkError(
            f"few-shot needs {ways} classes with at least {max(shots) + 1} images ({max(shots)} to train on, one to "
            f"test on), and {len(sizes) - len(small)} of the {len(sizes)} standard identities have them; too small: "
            f"{named}{more}; lower fewshot.ways or fewshot.shots, or leave few-shot out by fewshot.shots=[]"
        )


def possible(manifest: pd.DataFrame, ways: int, shots: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Return how many ways, at most those wanted, the fewest shots allow, and the shots that as many allow.

    Without shots there is nothing to be measured.
    """
    sizes = _sizes(manifest)
    ways = min(ways, int((sizes > min(shots)).sum())) if shots else ways
    return ways, tuple(shot for shot in shots if (sizes > shot).sum() >= ways) if ways >= LEAST else ()


def _sizes(manifest: pd.DataFrame) -> "pd.Series[int]":
    """Return the number of images of each standard identity."""
    return manifest[manifest["split"] == "standard"].groupby("identity").size()


def draw_all(manifest: pd.DataFrame, dataset: str, ways: int, shots: Sequence[int], count: int) -> pd.DataFrame:
    """Return the first `count` episodes in one table."""
    return pd.concat([draw(manifest, dataset, ways, shots, number) for number in range(count)], ignore_index=True)


def draw(manifest: pd.DataFrame, dataset: str, ways: int, shots: Sequence[int], number: int) -> pd.DataFrame:
    """Draw the classes and images of one episode.

    Ways and shots that are not `possible` are fewer. Classes too small for the largest number of shots and a test image
    are not drawn, so that the classes are the same for every number of shots. With s shots the images of `order`
    0 .. s - 1 are trained on, and all others tested on.

    Args:
        manifest: the split manifest.
        dataset: name of the data set, one of the axes of the seed.
        ways: number of classes.
        shots: numbers of training images of a class.
        number: number of the episode.

    Returns:
        A row for each image of each class, with the columns episode, label (0 .. ways - 1), identity, image, position
        (in the manifest) and order (within its class).
    """
    ways, shots = possible(manifest, ways, shots)
    sizes = _sizes(manifest)
    names = np.array(sorted(sizes.index[sizes > max(shots)]), dtype=object)
    classes = sorted(rng("few-shot classes", dataset, ways, number).choice(names, ways, replace=False))
    images = rng("few-shot images", dataset, ways, number)
    parts = []
    for label, name in enumerate(classes):
        chosen = (manifest["identity"] == name) & (manifest["split"] == "standard")
        position: NDArray[np.int64] = images.permutation(np.flatnonzero(chosen))
        rows = manifest.iloc[position][["identity", "image"]].reset_index(drop=True)
        parts.append(rows.assign(position=position, order=np.arange(len(position)), label=label))
    columns = ["episode", "label", "identity", "image", "position", "order"]
    return pd.concat(parts, ignore_index=True).assign(episode=number)[columns]
