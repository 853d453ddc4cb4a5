"""The losses of a very short training of each model on the stored images, in double precision.

In single precision those of `two_step` differ by 4e-3 between one and two threads after four cycles, as gradients that
are zero but for rounding become whole steps of Adam. In double precision all agree to 1e-9.
"""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.data.pixels import to_float
from benchmark.environment import open_fabric
from benchmark.evaluation import classifier, generate, resnet
from benchmark.evaluation.classifier import Examples, Recipe
from benchmark.evaluation.identity import class_codes
from benchmark.seeding import seed_global
from benchmark.training import loop
from benchmark.training.sampling import AuxiliaryBatches
from models.interface import NOISE, Batch, ModelSpec, ViewModel, one_hot
from models.registry import find
from tests.golden import frozen
from tests.golden.networks import VIEWS

Losses = dict[str, dict[str, float]]

CYCLES, BATCH = 4, 8  # enough for both phases of `dr_gan` and `two_step`, and both ways of `cr_gan` to reconstruct
IDENTITIES = 18  # all that are stored
SPEC = ModelSpec(
    frozen.SIZE, VIEWS, IDENTITIES, width=1 / 8, batch_size=BATCH, images=CYCLES * BATCH, refresh_batches=3
)
CPU = torch.device("cpu")


class Doubled:
    """Batches of the stored images in double precision."""

    def __init__(self) -> None:
        store = frozen.store()
        row, view = (store.manifest[column].to_numpy(np.int64) for column in ("row", "view_label"))
        self.batches = AuxiliaryBatches(store.images, row, class_codes(store.manifest), view, BATCH, CPU)

    def draw(self) -> Batch:
        return self._doubled(self.batches.draw())

    def draw_pairs(self) -> tuple[Batch, Batch]:
        first, second = self.batches.draw_pairs()
        return self._doubled(first), self._doubled(second)

    def _doubled(self, batch: Batch) -> Batch:
        return batch._replace(image=batch.image.double())


@contextmanager
def double_precision() -> Iterator[None]:
    """Make double precision the default."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def model_losses(name: str) -> Losses:
    """Return the losses of each cycle as the log has them, and the spread of the pictures made after the training."""
    schedule = loop.Schedule(SPEC.images, log_every=1, checkpoint_seconds=600, axes=("golden", 0))
    with double_precision(), tempfile.TemporaryDirectory() as folder:
        seed_global("weights", "golden")
        model, files = find(name).load()(SPEC), loop.Files(Path(folder))
        loop.train(model, Doubled(), open_fabric("cpu"), schedule, files, name)
        return {**_logged(files.log), "after training": {"spread": _spread(model.eval())}}


def _logged(path: Path) -> Losses:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {
        f"cycle {row['cycle']}": {loss: float(value) for loss, value in list(row.items())[2:] if value} for row in rows
    }


@torch.no_grad()
def _spread(model: ViewModel) -> float:
    """Return the standard deviation of the pixels of some stored images, turned to one view each."""
    store = frozen.store()
    positions = np.arange(0, len(store.manifest), 10)
    code = one_hot(torch.from_numpy(positions) % VIEWS, VIEWS).double()
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((len(positions), NOISE)))
    return round(float(model.generate(generate.inputs(store, positions).double(), code, noise).std()), 6)


def classifier_losses() -> Losses:
    """Return the cross entropy of a ResNet18 of the few-shot measurement on its images after two steps."""
    store = frozen.store()
    positions = np.arange(0, len(store.manifest), 10)
    images, labels = store.at(positions), class_codes(store.manifest)[positions]
    examples = Examples(images, labels, np.arange(len(labels)) % 2 == 0)
    recipe = Recipe(steps=2, batch_size=8, learning_rate=0.01, stem="stock")
    with double_precision(), patch.object(resnet, "to_float", _doubles):
        seed_global("golden classifier")
        fitted = classifier.fit(examples, IDENTITIES, recipe, CPU, "golden").requires_grad_(False)
        logits = fitted(_doubles(images), torch.from_numpy(examples.real))
        return {"after training": {"cross entropy": round(float(F.cross_entropy(logits, torch.tensor(labels))), 6)}}


def _doubles(images: np.ndarray) -> Tensor:
    return to_float(images).double()
