"""A trained generator in Python: `load` finds it by the model's name, and a call turns pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.config import settings
from benchmark.data.pictures import crop, decode
from benchmark.data.pixels import to_float, to_uint8
from benchmark.errors import BenchmarkError, shown
from benchmark.evaluation.generate import generate, pixel_keys
from benchmark.run import runs
from benchmark.run.artifacts import entry
from benchmark.run.workspace import Run, run_of_profile
from benchmark.stages.sample import load as load_network
from models.interface import ViewModel


@dataclass(frozen=True)
class Generator:
    """A trained generator.

    Attributes:
        network: the model in evaluation mode; `network.generate(image, view_code, noise)` takes tensors, see
            `models.interface.ViewModel.generate`.
        views: names of the views, in the order of the view codes.
        image_size: side S of the square images, in pixels.
    """

    network: ViewModel
    views: tuple[str, ...]
    image_size: int

    def read(self, paths: Sequence[Path | str] | Path | str) -> NDArray[np.uint8]:
        """Return pictures from one file or more, as `__call__` takes them: whole, made square, resized; (N, S, S, 3).

        Raises:
            BenchmarkError: a file is no picture that can be read.
        """
        squares = [crop(decode(Path(path)), None, self.image_size, 0.0) for path in _several(paths)]
        return np.array(squares, np.uint8)

    def __call__(self, images: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
        """Return images turned to a view, as `benchmark sample` draws them: (N, S, S, 3), 0 .. 255.

        Args:
            images: of shape (N, S, S, 3), 0 .. 255.
            view: one of `views`.

        Raises:
            BenchmarkError: the images have another shape or type, or there is no such view.
        """
        side, images = self.image_size, np.asarray(images)
        if view not in self.views:
            raise BenchmarkError(f"there is no view {shown(view)}; it is one of {', '.join(self.views)}")
        if images.dtype != np.uint8 or images.shape != (max(1, len(images)), side, side, 3):
            raise BenchmarkError(
                f"images of shape {images.shape} and type {images.dtype} do not fit; give (N, {side}, {side}, 3) of "
                "type uint8, as `read` returns"
            )
        return to_uint8(generate(self.network, to_float(images), pixel_keys(images), self.views.index(view)))


def load(
    model: str,
    seed: int = 0,
    *,
    run: str | None = None,
    profile: str | None = None,
    device: str = "auto",
    plugins: Sequence[Path | str] | Path | str = (),
) -> Generator:
    """Return the trained generator that `benchmark sample` would use with the same options.

    Args:
        model: its name.
        seed: its training seed.
        run: a run by its name, in `runs/` of the working directory.
        profile: a profile of params.yaml; default: the active one, if there is no `run`.
        device: `auto`, `cpu` or `cuda`.
        plugins: one file with a model, or more.

    Raises:
        BenchmarkError: there is no such model or no trained generator, it is damaged or of other settings, or a run
            and a profile are named.
    """
    if run is not None and profile is not None:
        raise BenchmarkError(f"the run {run} has settings of its own; leave out the profile, or leave out the run")
    files = tuple(map(Path, _several(plugins)))
    opened: Run
    if run is not None:
        opened = runs.opened(run, device, files)
    else:
        opened = run_of_profile(settings.profile(profile), device, files)
    entry(opened, model)
    data = opened.settings.data
    return Generator(load_network(opened, model, seed)[0], data.views, data.image_size)


def _several(paths: Sequence[Path | str] | Path | str) -> Sequence[Path | str]:
    return [paths] if isinstance(paths, Path | str) else paths
