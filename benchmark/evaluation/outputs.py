"""Outputs of a generator for every standard image, seen through the two networks.

The features, by far the largest part, lie in a memory-mapped file of their own, so that memory does not grow with them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from benchmark.evaluation.generate import Generate, Positions
from benchmark.evaluation.resnet import FEATURES, pooled_features
from benchmark.files import reading, replacing, writing
from benchmark.progress import progress

Distances = NDArray[np.float32]
Features = NDArray[np.float32]
Mapped = np.memmap[Any, np.dtype[np.float32]]
Compared = Callable[[Tensor, Positions, int], tuple[Distances, Distances]]  # outputs -> to_input and to_target, (B,)

FEATURES_FILE = "features.npy"  # beside the file of all else


@dataclass(frozen=True)
class Networks:
    """The networks of the measurement, in evaluation mode."""

    identity: nn.Module
    view: nn.Module


@dataclass(frozen=True)
class Outputs:
    """One row for each generated image.

    Attributes:
        position: position of the input image in the manifest, (M,).
        target: target view, (M,).
        features: identity features of shape (M, 512).
        view: view that the independent network sees, (M,).
        to_input: mean absolute difference of its pixels to the input's, (M,).
        to_target: the same to the nearest real image of its identity and the target view, NaN if there is none, (M,).
        sharpness: of its pixels, see `sharpness`, (M,).
    """

    position: Positions
    target: Positions
    features: Features
    view: NDArray[np.int64]
    to_input: Distances
    to_target: Distances
    sharpness: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write the features, unless they are mapped to their place already, and all else as safetensors."""
        place = path.with_name(FEATURES_FILE).absolute()
        if isinstance(self.features, np.memmap) and Path(str(self.features.filename)) == place:
            self.features.flush()
        else:
            mapped = reserve(path, len(self.features))
            mapped[:] = self.features
            mapped.flush()
        with replacing(path) as temporary:
            save_file({name: values for name, values in vars(self).items() if name != "features"}, temporary)

    @classmethod
    def load(cls, path: Path) -> "Outputs":
        """Open what `save` wrote; the features are read where they are looked at."""
        stored = path.with_name(FEATURES_FILE)
        with reading(stored):
            features: Features = np.load(stored, mmap_mode="c", allow_pickle=False)  # "r" would make torch warn
        with reading(path):
            return cls(features=features, **load_file(path))

    def of(self, positions: Positions) -> "Outputs":
        """Return the rows whose input is one of `positions`."""
        chosen = np.isin(self.position, positions)
        return Outputs(*(values[chosen] for values in vars(self).values()))


def reserve(path: Path, count: int) -> Mapped:
    """Return an array (count, 512) that is mapped to a new FEATURES_FILE beside `path`.

    Its place on the disk is taken at once: a write to a mapped file on a full disk would kill the process.

    Raises:
        FullDiskError: there is no place.
    """
    stored = path.with_name(FEATURES_FILE)
    with writing(stored):
        stored.unlink(missing_ok=True)  # who has it open keeps the old content
        try:
            features: Mapped = np.lib.format.open_memmap(stored, "w+", np.float32, (count, FEATURES))
            with stored.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, stored.stat().st_size)
        except OSError:
            stored.unlink(missing_ok=True)
            raise
    return features


def pairs(manifest: pd.DataFrame, views: int, own_view_only: bool) -> tuple[Positions, Positions]:
    """Return (position, target view) for every standard image and every view, or only its own view."""
    positions = np.flatnonzero(manifest["split"] == "standard")
    if own_view_only:
        return positions, manifest["view_label"].to_numpy(np.int64)[positions]
    return np.repeat(positions, views), np.tile(np.arange(views), len(positions))


def measure(
    generate: Generate,
    position: Positions,
    target: Positions,
    networks: Networks,
    compared: Compared,
    batch_size: int,
    device: torch.device,
    features: Features | None = None,
    title: str = "measuring",
) -> Outputs:
    """Generate every image and describe it; `features` (M, 512) is filled, or made where there is none.

    `title` is that of the progress bar.
    """
    features = np.empty((len(position), FEATURES), np.float32) if features is None else features
    view = np.empty(len(position), np.int64)
    to_input, to_target, sharp = np.empty((3, len(position)), np.float32)
    bar = progress(total=len(position), desc=title, unit="img")
    for wanted in map(int, np.unique(target)):
        asked = np.flatnonzero(target == wanted)
        for start in range(0, len(asked), batch_size):
            rows = asked[start : start + batch_size]
            images = generate(position[rows], wanted).to(device)
            features[rows] = pooled_features(networks.identity, images).float().cpu().numpy()
            with torch.no_grad():
                view[rows] = networks.view(images).argmax(1).cpu().numpy()
            to_input[rows], to_target[rows] = compared(images, position[rows], wanted)
            sharp[rows] = sharpness(images).cpu().numpy()
            bar.update(len(rows))
    bar.close()
    return Outputs(position, target, features, view, to_input, to_target, sharp)


def sharpness(images: Tensor) -> Tensor:
    """Return the variance of the Laplacian of the luminance of each image, (B,): the more fine detail, the higher.

    It is a measure of focus (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study",
    ICPR 2000), which cannot tell detail from noise. The Laplacian has the four neighbours of each pixel that has them.

    Args:
        images: of shape (B, 3, S, S), red, green and blue.
    """
    red, green, blue = images.float().unbind(1)
    grey = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    beside = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return (beside - 4 * grey[:, 1:-1, 1:-1]).flatten(1).var(1, correction=0)
