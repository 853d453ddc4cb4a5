"""Live logs of a training run for TensorBoard: every loss, and grids of a few images turned to every view.

The x axis is the number of real images used, the budget that all models share.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from lightning_fabric.loggers.tensorboard import TensorBoardLogger
from numpy.typing import NDArray
from torch import Tensor
from torchvision.utils import make_grid

from benchmark.data.pixels import to_uint8
from benchmark.evaluation.generate import generate_views
from benchmark.files import writing
from models.interface import ViewModel

SAMPLES = "samples"
DELAY = 10  # seconds until an entry is on the disk


class LiveLog(TensorBoardLogger):
    """Fabric's logger for TensorBoard, with sample grids.

    The first entry drops what an interrupted training left at its step or later. Any method that writes can raise
    FullDiskError.

    Args:
        folder: where the event files go.
        inputs: images of shape (B, 3, S, S), in [-1, 1].
        keys: what their noise depends on, (B,), see `generate`.
        every: cycles between two grids.
    """

    def __init__(self, folder: Path, inputs: Tensor, keys: NDArray[np.int64], every: int) -> None:
        super().__init__(folder, name="", version="", flush_secs=DELAY)
        self.folder, self.inputs, self.keys, self.every = folder, inputs, keys, every

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write scalars."""
        self._begin(step)
        with writing(self.folder):  # not Fabric's own method, which takes every failure for a wrong type
            for name, value in metrics.items():
                self.experiment.add_scalar(name, value, step)

    def finalize(self, status: str) -> None:
        """Wait until everything is written."""
        with writing(self.folder):
            super().finalize(status)

    def between_cycles(self, model: ViewModel, cycle: int, images: int) -> None:
        """Write a grid if one is due; what a model measures once, in `finish`, is still missing in it."""
        if cycle % self.every == 0:
            self._show(model, images)

    def after_training(self, model: ViewModel, images: int) -> None:
        """Write the grid of the finished model."""
        self._show(model, images)

    def _show(self, model: ViewModel, images: int) -> None:
        """Write what the model draws now: one row for each input, the input first, then the views in order."""
        self._begin(images)
        with evaluating(model):
            columns = [self.inputs, *generate_views(model, self.inputs, self.keys)]
        grid = make_grid(torch.stack(columns, 1).flatten(0, 1), nrow=len(columns), pad_value=1.0)
        with writing(self.folder):
            self.experiment.add_image(SAMPLES, to_uint8(grid[None])[0], images, dataformats="HWC")

    def _begin(self, step: int | None) -> None:
        self._kwargs.setdefault("purge_step", step)  # read once, when the event file is opened


@contextmanager
def evaluating(model: ViewModel) -> Iterator[None]:
    """Put the model in evaluation mode for the block; after it every module has its own mode back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
