"""Reading of the pixels of an image store: batches of training images, and the identity measurement of a control.

python -m tools.rehearsal.pixels (feed | measure)
"""

import sys

import numpy as np

from benchmark.config.settings import profile
from benchmark.data.image_store import STORE, ImageStore
from benchmark.environment import open_fabric, use_threads
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import ensure
from benchmark.run.workspace import Run, run_of_profile
from benchmark.seeding import seed_global
from benchmark.training.sampling import AuxiliaryBatches

CONTROL = "real"  # needs no training; its images are described and classified as those of a model are


def feed(run: Run) -> None:
    """Draw as many images as the store has, as training does."""
    store, device = ImageStore.open(run.data / STORE), open_fabric("cpu").device
    rows, batch = np.arange(len(store.images)), run.settings.training.batch_size
    batches = AuxiliaryBatches(store.images, rows, np.zeros_like(rows), np.zeros_like(rows), batch, device)
    seed_global("rehearsal")
    for _ in range(len(rows) // batch):
        batches.draw()
    print(f"{len(rows) // batch} batches of {batch}, of {store.images.nbytes / 1e6:,.0f} MB of pixels")


def measure(run: Run) -> None:
    """Train both judges, describe the images of the control, and classify them for the largest N_c."""
    ensure(run, Artifact("outcomes", CONTROL, split="random", nc=max(run.settings.evaluation.nc)))


if __name__ == "__main__":
    use_threads(1)
    {"feed": feed, "measure": measure}[sys.argv[1]](run_of_profile(profile(None)))
