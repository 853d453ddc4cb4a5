"""Rendered cars: invented makes and models, made on the spot in the layout of CompCars."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmark.config.settings import Data, Rendered
from benchmark.data import compcars
from benchmark.data.manifest import Reading
from benchmark.errors import BenchmarkError
from benchmark.files import beside, writing
from benchmark.progress import progress
from rendered_cars import folder
from rendered_cars.folder import SCENES, Rendering

SETTINGS = "rendered.json"


def make(settings: Rendered, root: Path, workers: int = 2) -> None:
    """Write the data set into the folder `root`, or do nothing where it is already.

    Args:
        settings: number of models and pictures, views, size and seed; they alone decide every byte.
        root: folder to make; it appears at the end, complete.
        workers: processes that render; 1 renders in this one.

    Raises:
        BenchmarkError: `root` holds something else, the disk is full, or a worker was killed.
    """
    if _finished(settings, root):
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(root)
    try:
        with writing(root), _working():
            made = settings.identities, settings.scarce, settings.images, settings.size, settings.seed
            folder.write(temporary, *made, nine=settings.views == "nine", workers=workers, progress=progress)
            (temporary / SETTINGS).write_text(json.dumps(settings.model_dump(mode="json")), encoding="utf-8")
            os.sync()  # a power cut must not leave a complete folder of empty files
            temporary.replace(root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _finished(settings: Rendered, root: Path) -> bool:
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        found = json.loads((root / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if found != settings.model_dump(mode="json"):
        raise BenchmarkError(
            f"{root} holds something other than these rendered cars; remove it or choose another folder"
        )
    return True


def read(settings: Data, root: Path) -> Reading:
    """Return what `compcars.read` does; of the nine views, which CompCars lacks, `scenes.parquet` has the names."""
    reading = compcars.read(settings, root)
    if settings.rendered.views == "cars":
        return reading
    views = pd.read_parquet(root / SCENES, columns=["image", "view"]).set_index("image")["view"]
    images = reading.manifest["image"].str.removeprefix("image/")
    return replace(reading, manifest=reading.manifest.assign(view=images.map(views)))


def render_views(
    scenes: pd.DataFrame, view_names: Sequence[str], seed: int, size: int, workers: int = 2
) -> Iterator[Rendering]:
    """Yield what `rendered_cars.folder.render_views` does, for scenes of the data set of a seed, `size` pixels long.

    Raises:
        BenchmarkError: a worker was killed.
    """
    with _working():
        yield from folder.render_views(scenes, view_names, size, seed, workers)


@contextmanager
def _working() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool:
        raise BenchmarkError("a worker process was killed, perhaps for want of memory; run again") from None
