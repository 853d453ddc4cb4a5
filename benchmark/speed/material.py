"""What is measured on: random images of a profile's numbers, and models that are ready for training."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric

from benchmark.data.images import ARRAY, ImageStore
from benchmark.environment import open_fabric
from benchmark.seeding import generator
from benchmark.stages import building, models
from benchmark.training.compiling import CompilingFabric
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.workspace import Run
from models.interface import ViewModel

PER_IDENTITY = 20  # images
UNKNOWN = 1000  # identities to train on, where only the data can tell how many there are
MOST = 2**30  # bytes of pixels; images are shared beyond that


@contextmanager
def made(run: Run) -> Iterator[ImageStore]:
    """Yield a store of random images, with the profile's size, views and numbers of identities."""
    known, standard = models.identities(run.settings), run.settings.data.standard
    evaluated = standard if isinstance(standard, int) else 0
    counts = known or UNKNOWN, max(evaluated, *run.settings.evaluation.nc)
    with tempfile.TemporaryDirectory() as folder:
        yield stored(Path(folder), *counts, len(run.settings.data.views), run.settings.data.image_size)


def stored(folder: Path, auxiliary: int, standard: int, views: int, size: int) -> ImageStore:
    """Write a store for so many identities into a folder; each has images of every view, in groups of two."""
    number = np.arange((auxiliary + standard) * PER_IDENTITY)
    identity, place = np.divmod(number, PER_IDENTITY)
    pixels = generator("speed").integers(0, 256, (min(len(number), MOST // (3 * size**2)), size, size, 3), np.uint8)
    np.save(folder / ARRAY, pixels)
    training = identity < auxiliary
    columns = {
        "image": [f"{n}.png" for n in number],
        "identity": [f"{n:06}" for n in identity],
        "identity_label": np.where(training, identity, -1),
        "view_label": place % views,
        "group": [f"{n}" for n in number // 2],
        "split": np.where(training, "auxiliary", "standard"),
        "row": number % len(pixels),
    }
    return ImageStore(folder, pd.DataFrame(columns))


def batches(run: Run, store: ImageStore, device: torch.device) -> AuxiliaryBatches:
    """Return the batches of a training."""
    rows = store.manifest.iloc[store.subset("auxiliary")]
    row, identity, view = (rows[name].to_numpy(np.int64) for name in ("row", "identity_label", "view_label"))
    return AuxiliaryBatches(store.images, row, identity, view, run.settings.training.batch_size, device)


def opened(run: Run, compiled: bool = False) -> Fabric:
    """Return Fabric with the run's device and precision."""
    return open_fabric(run.device, run.settings.training.precision, kind=CompilingFabric if compiled else None)


def ready(run: Run, model: str, store: ImageStore, fabric: Fabric) -> ViewModel:
    """Return a model as it is before its first cycle.

    Raises:
        BenchmarkError: there is none, or it cannot be built for the run's settings.
    """
    network = building.build(run, model, store).to(fabric.device).to(memory_format=torch.channels_last)
    network.setup(fabric)
    return network.train()
