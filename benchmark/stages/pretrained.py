"""Trained generators stored beside results, which draw pictures without a training run and without the data set.

`<results>/generators/<model>/seed<k>/` is a cell: `generator.safetensors`, `inputs.png` (images to turn, in one column)
and `run.json`, which says what the weights come from, and holds the images' positions in the manifest and the hashes
of both files.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.config.settings import Profile
from benchmark.data import tiles
from benchmark.data.image_store import open_store
from benchmark.data.pictures import Pixels
from benchmark.errors import BenchmarkError
from benchmark.evaluation.generate import Positions
from benchmark.evaluation.samples import sample_positions
from benchmark.files import reading
from benchmark.regression import baseline
from benchmark.results import rows
from benchmark.results.records import Facts
from benchmark.run.cells import RECORD, Cell, difference
from benchmark.run.workspace import Run
from benchmark.stages.collect import finished

REFERENCE = Path("results/reference")  # a folder of results for each profile
INPUTS, WEIGHTS = "inputs.png", "generator.safetensors"
SHOWN = 8  # images of the standard set
PLACES = {"root", "annotations"}  # settings that say where data lie, and not which
PACE = {"tensorboard", "samples_every", "log_every", "checkpoint_minutes"}  # settings that change no weight


def reference(run: Run) -> Path:
    """Return the folder of the stored results of the run's profile."""
    return REFERENCE / run.settings.name


def folder(model: str, seed: int, results: Path) -> Path:
    """Return where a generator lies in a folder of results."""
    return results / baseline.GENERATORS / model / f"seed{seed}"


def unusable(run: Run, model: str, seed: int, results: Path) -> str:
    """Return in words why a stored generator is not what the run's settings would train, empty if it is.

    Sources and versions are on record and do not count.
    """
    cell = Cell(folder(model, seed, results))
    if not cell.record:
        return f"{RECORD} is damaged" if cell.damaged else "nothing there yet"
    return difference(cell.record.get("fingerprint"), _fingerprint(run, model, seed)) or cell.altered()


def _fingerprint(run: Run, model: str, seed: int) -> dict[str, Any]:
    wanted = {"model": model, "seed": seed, "settings": _deciding(run.settings)}
    normal: dict[str, Any] = json.loads(json.dumps(wanted))
    return normal


def _deciding(settings: Profile) -> dict[str, Any]:
    """Return the settings that decide what is trained, those with the default's value left out."""
    return {
        "data": settings.data.model_dump(mode="json", exclude=PLACES, exclude_defaults=True),
        "training": settings.training.model_dump(mode="json", exclude=PACE, exclude_defaults=True),
    }


def export(run: Run, model: str, seed: int, results: Path) -> Path:
    """Put a trained generator, and some images of the standard set, into a folder of results; return its folder there.

    Args:
        run: that has trained the generator.
        model: its name.
        seed: its training seed.
        results: where to.

    Raises:
        BenchmarkError: the folder holds no results of these settings, or the model is not trained from what settings,
            data and sources say now; nothing is changed.
    """
    check(run, results)
    store, trained = open_store(run), finished(run, model, seed).cell(run)
    positions = sample_positions(store, len(run.settings.data.views), SHOWN)
    cell = Cell(folder(model, seed, results))
    with cell.making(_fingerprint(run, model, seed)):
        shutil.copyfile(trained.folder / WEIGHTS, cell.folder / WEIGHTS)
        tiles.write(store.at(positions)[:, None], cell.folder / INPUTS)
        told = ("spec", "parameters", "images", "device_name")
        facts = {key: trained.record[key] for key in told if key in trained.record}
        made_from = trained.record["fingerprint"]
        cell.finish((WEIGHTS, INPUTS), training=made_from, positions=positions.tolist(), **facts)
    return cell.folder


def check(run: Run, results: Path) -> None:
    """Raise BenchmarkError if a folder of results is of another run or of other settings than a run."""
    path = results / rows.FOLDER / rows.FACTS
    if not path.is_file():
        raise BenchmarkError(f"{results} holds no results ({path} is missing); name a folder that does")
    with reading(path):
        facts = Facts.model_validate_json(path.read_text(encoding="utf-8"))
    named = {"profile": facts.name, **_deciding(facts.settings)}
    changed = difference(named, {"profile": run.name, **_deciding(run.settings)})
    if changed:
        raise BenchmarkError(f"{results} holds results of other settings ({changed}); put those of {run.name} there")


def inputs(stored: Path, side: int) -> tuple[Pixels, Positions]:
    """Return the images that came with a generator, of shape (N, S, S, 3), and their positions in the manifest, (N,).

    Raises:
        BenchmarkError: the positions are missing, or not those of the images.
    """
    images = tiles.read(stored / INPUTS, side)[:, 0].copy()  # what Pillow gives is read-only
    positions = Cell(stored).record.get("positions")
    if not isinstance(positions, list) or len(positions) != len(images):
        raise BenchmarkError(f"{stored / RECORD} has no positions of the images in {INPUTS}; store it again")
    return images, np.array(positions, np.int64)
