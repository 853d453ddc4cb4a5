"""Pictures made elsewhere are measured as those of a model, and what is needed to make some is written out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from benchmark.config.values import NAME
from benchmark.data import elsewhere
from benchmark.data.image_store import ImageStore, open_store
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError
from benchmark.execution import tasks
from benchmark.execution.scheduler import carry_out_all
from benchmark.files import beside, sha256, write_text, writing
from benchmark.run import runs, sources
from benchmark.run.artifacts import CONTROLS, Artifact
from benchmark.run.workspace import Pictures, Run
from benchmark.stages.collect import collect
from benchmark.stages.data import prepare_data
from benchmark.stages.report import report
from models.registry import entries

TARGETS, TRAINING = "targets.csv", "training.csv"
PARTS = {"auxiliary": "training", "validation": "validation"}  # of the manifest, and as the export calls them


def evaluate(run: Run, name: str, folder: Path, table: Path | None = None) -> None:
    """Measure pictures beside the controls, with the networks of the run, and write the tables again.

    Args:
        run: on whose standard set the pictures were made.
        name: of their row in the tables.
        folder: which holds them.
        table: the CSV of `data.elsewhere`; by default `outputs.csv` in the folder.

    Raises:
        BenchmarkError: the name is taken, or `elsewhere.take` refuses the pictures; nothing is changed then.
    """
    _check_name(run, name)
    open_fabric(run.device)
    sources.remember()
    prepare_data(run)
    with brought(run, name, folder, table) as bringing:
        if run.name != run.settings.name:  # that of a profile has its settings in params.yaml
            runs.store(run)
        carry_out_all(bringing, tasks.without_models(bringing))
    with run.lock("results"):
        collect(run)
        report(run)


def _check_name(run: Run, name: str) -> None:
    if not NAME.fullmatch(name):
        raise BenchmarkError(f"--name {name[:100]!r}: use up to 64 letters, digits, - and _, as it names a folder")
    if name in CONTROLS or name in entries(run.plugins) or (run.folder / "models" / name).exists():
        kind = "control" if name in CONTROLS else "model"
        raise BenchmarkError(f"--name {name}: a {kind} has this name in the tables; choose another one")


@contextmanager
def brought(run: Run, name: str, folder: Path, table: Path | None = None) -> Iterator[Run]:
    """Yield the run with checked pictures, which are there until the block ends; the arguments are as `evaluate`'s."""
    store, settings = open_store(run), run.settings.data
    images = store.manifest["image"].iloc[store.subset("standard")].tolist()
    place = beside(run.folder / Artifact("external", name).place)
    try:
        with writing(place):
            place.mkdir(parents=True)
        elsewhere.take(folder, table or folder / elsewhere.TABLE, images, settings.views, settings.image_size, place)
        yield replace(run, pictures=Pictures(name, place, sha256(place / elsewhere.PICTURES)))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def export(run: Run, folder: Path, training: bool = False) -> None:
    """Write all that is needed to make pictures elsewhere.

    These are the standard images as PNG in `inputs/`, and `targets.csv`, with a row for each picture to make: `output`
    (the name that its file gets), `input` (what the manifest calls the image), `target` (the view) and `file` (the
    image in `inputs/`).

    Args:
        run: whose images are meant.
        folder: where to; it must be empty or not there.
        training: whether to write the images to train with, too, in `training/`, and `training.csv`: `file`,
            `identity`, `view` and `part`, which is `validation` for identities that no model here is trained on.

    Raises:
        BenchmarkError: the folder is not empty.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BenchmarkError(f"{folder} is no empty folder; choose another one for --export")
    prepare_data(run)
    store, part = open_store(run), beside(folder.absolute())
    try:
        standard = store.subset("standard")
        files = _write(store, standard, part, "inputs")
        pairs = zip(files, store.manifest["image"].iloc[standard], strict=True)
        rows = [
            (f"{Path(f).stem}_{view}.png", image, view, f) for f, image in pairs for view in run.settings.data.views
        ]
        _table(part / TARGETS, pd.DataFrame(rows, columns=[*elsewhere.COLUMNS, "file"]))
        if training:
            chosen = np.flatnonzero(store.manifest["split"].isin(list(PARTS)))
            labels = store.manifest.iloc[chosen]
            labels = labels.assign(file=_write(store, chosen, part, "training"), part=labels["split"].map(PARTS))
            _table(part / TRAINING, labels[["file", "identity", "view", "part"]])
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(store: ImageStore, positions: NDArray[np.int64], folder: Path, name: str) -> list[str]:
    """Write images as PNG into a new folder in `folder`; return their names relative to that."""
    with writing(folder):
        (folder / name).mkdir(parents=True)
        files = [f"{name}/{number:06}.png" for number in range(len(positions))]
        for file, position in zip(files, positions, strict=True):
            Image.fromarray(store.at(np.array([position]))[0]).save(folder / file)
    return files


def _table(path: Path, table: pd.DataFrame) -> None:
    write_text(path, table.to_csv(index=False, lineterminator="\n"))
