"""Trained generators that lie with stored results: pictures without a training and without the data set.

`<results>/generators/<model>/seed<k>/` is a cell: `generator.safetensors`, `inputs.png` (images to turn, in one column)
and `run.json`, which says what the weights come from, and holds the images' positions in the manifest and the hashes
of both files.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.cells import RECORD, Cell, Decision, difference
from benchmark.data import tiles
from benchmark.data.pictures import Pixels
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError
from benchmark.evaluation.generate import Positions
from benchmark.evaluation.samples import sample_positions
from benchmark.files import reading
from benchmark.regression import baseline
from benchmark.results import rows
from benchmark.results.records import Facts
from benchmark.settings import Profile
from benchmark.stages import trained
from benchmark.stages.data import open_store
from benchmark.training import loop
from benchmark.workspace import Run

REFERENCE = Path("results/reference")  # a folder of results for each profile
INPUTS = "inputs.png"
SHOWN = 8  # images of the standard set
PLACES = {"root", "annotations"}  # settings that say where data lie, and not which
PACE = {"tensorboard", "samples_every", "log_every", "checkpoint_every"}  # settings that change no weight


def reference(run: Run) -> Path:
    """Return the folder of the stored results of the run's profile."""
    return REFERENCE / run.settings.name


def cell(run: Run, model: str, seed: int, results: Path) -> Cell:
    """Return the cell of a generator in a folder of results; it is done where the run's settings would train the same.

    Sources and versions are on record and do not count.
    """
    fingerprint = {"model": model, "seed": seed, "settings": _deciding(run.settings)}
    return Cell(results / baseline.GENERATORS / model / f"seed{seed}", fingerprint)


def _deciding(settings: Profile) -> dict[str, Any]:
    """Return the settings that decide what is trained, those with the default's value left out."""
    return {
        "data": settings.data.model_dump(mode="json", exclude=PLACES, exclude_defaults=True),
        "training": settings.training.model_dump(mode="json", exclude=PACE, exclude_defaults=True),
    }


def ship(run: Run, model: str, seed: int, results: Path, with_results: bool = False) -> Path:
    """Put a trained generator, and some images of the standard set, into a folder of results; return its folder there.

    Args:
        run: that has trained the generator.
        model: its name.
        seed: its training seed.
        results: where to.
        with_results: whether the results of the run are stored there first, see `baseline.store`.

    Raises:
        BenchmarkError: the folder holds no results of these settings, or the model is not trained from what settings,
            data and sources say now; nothing is changed.
    """
    _check(run, run.results if with_results else results)
    store, device = open_store(run), open_fabric(run.device).device
    found = trained.finished(run, model, seed, store, device)
    if with_results:
        baseline.store(results, run.results)
    weights, target = loop.Files(found.folder).weights, cell(run, model, seed, results)
    with target.making(Decision("make", "")):
        shutil.copyfile(weights, target.folder / weights.name)
        positions = sample_positions(store, len(run.settings.data.views), SHOWN)
        tiles.write(store.at(positions)[:, None], target.folder / INPUTS)
        facts = {key: found.record[key] for key in ("parameters", "images", "device_name") if key in found.record}
        target.finish(weights.name, INPUTS, training=found.fingerprint, positions=positions.tolist(), **facts)
    return target.folder


def _check(run: Run, results: Path) -> None:
    """Refuse a folder whose results are of another run or of other settings."""
    path = results / rows.FOLDER / rows.FACTS
    if not path.is_file():
        raise BenchmarkError(f"{results} holds no results ({path} is missing); name a folder that does")
    with reading(path):
        facts = Facts.model_validate_json(path.read_text(encoding="utf-8"))
    named = {"profile": facts.name, **_deciding(facts.settings)}
    changed = difference(named, {"profile": run.name, **_deciding(run.settings)})
    if changed:
        raise BenchmarkError(f"{results} holds results of other settings ({changed}); put those of {run.name} there")


def inputs(folder: Path, side: int) -> tuple[Pixels, Positions]:
    """Return the images that came with a generator, of shape (N, S, S, 3), and their positions in the manifest, (N,).

    Raises:
        BenchmarkError: the positions are missing, or not those of the images.
    """
    images = tiles.read(folder / INPUTS, side)[:, 0].copy()  # what Pillow gives is read-only
    positions = Cell(folder, {}).record.get("positions")
    if not isinstance(positions, list) or len(positions) != len(images):
        raise BenchmarkError(f"{folder / RECORD} has no positions of the images in {INPUTS}; store it again")
    return images, np.array(positions, np.int64)
