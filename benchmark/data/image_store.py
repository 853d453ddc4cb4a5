"""The image store: all images as one array of bytes on disk, with the labels of each.

A store is a folder with `images.npy` (N x S x S x 3, uint8), `images.json` (SHA-256 of its pixels, taken while they
were written) and `manifest.parquet`, whose column `row` points into the array. `images.json` is removed first and
written last: with it the store is whole.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.data import manifest as manifests
from benchmark.errors import BenchmarkError
from benchmark.files import reading

if TYPE_CHECKING:
    from benchmark.run.workspace import Run

STORE, SPLIT = "store", "split.parquet"  # in the folder of a run's data
ARRAY, FACTS, MANIFEST = "images.npy", "images.json", "manifest.parquet"
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageStore:
    """A store on disk, with its own manifest or a later one (filtered, split) that kept the column `row`."""

    folder: Path
    manifest: pd.DataFrame

    @classmethod
    def open(cls, folder: Path, manifest: Path | None = None) -> Self:
        """Open the store in `folder`.

        Raises:
            BenchmarkError: there is no store, or its making was interrupted.
        """
        if not (folder / FACTS).is_file() or not (folder / ARRAY).is_file():
            raise BenchmarkError(f"{folder} holds no complete image store; prepare the data again")
        return cls(folder, manifests.read(manifest or folder / MANIFEST))

    @cached_property
    def images(self) -> Pixels:
        """All squares, N x S x S x 3 uint8, as a read-only memory map; indexed by the column `row`."""
        with reading(self.folder / ARRAY):
            images: Pixels = np.load(self.folder / ARRAY, mmap_mode="r", allow_pickle=False)
            return images

    def at(self, positions: npt.NDArray[np.int64]) -> Pixels:
        """Return the squares at `positions` of the manifest, (N, S, S, 3)."""
        chosen: Pixels = self.images[self.manifest["row"].to_numpy()[positions]]
        return chosen

    def subset(self, split: str) -> npt.NDArray[np.int64]:
        """Return the positions in the manifest of the rows of a split."""
        return np.flatnonzero(self.manifest["split"] == split)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the table's values and the pixels; the same for the same content, wherever it lies."""
        with reading(self.folder / FACTS):
            pixels = json.loads((self.folder / FACTS).read_text(encoding="utf-8"))["sha256"]
        table = self.manifest.to_json(orient="split", index=False)
        return hashlib.sha256(f"{pixels}\n{table}".encode()).hexdigest()


def open_store(run: "Run") -> ImageStore:
    """Open the image store of a run with its split."""
    return ImageStore.open(run.data / STORE, existing(run.data / SPLIT))


def existing(path: Path) -> Path:
    """Return a path that exists.

    Raises:
        BenchmarkError: it does not.
    """
    if not path.exists():
        raise BenchmarkError(f"{path} is missing; run `benchmark run` or `dvc repro` first")
    return path
