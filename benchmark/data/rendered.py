"""Rendered cars: invented makes and models, made on the spot in the layout of CompCars.

`make` writes the data set; `render_view` and `render_views` show a car of it from another view, all else equal.
`scenes.parquet` holds one row for each picture: image (relative to `image/`), make, model, rank (place of the model in
its make), view, certain (whether the label tells the view), and the fields of `benchmark.data.cars.scene.Scene`.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from PIL import Image
from tqdm import tqdm

from benchmark.data.cars import compcars_files
from benchmark.data.cars.raycast import Box, Picture, render
from benchmark.data.cars.roster import Entry, Shot, roster, scarce, shots
from benchmark.data.cars.scene import Scene
from benchmark.data.cars.solid import solid
from benchmark.data.workers import mapping
from benchmark.errors import BenchmarkError
from benchmark.files import beside, writing
from benchmark.settings import Rendered

SETTINGS = "rendered.json"
SCENES = "scenes.parquet"


class Rendering(NamedTuple):
    """A picture made by `render_views`."""

    row: int  # position of the scene in the table, from 0
    view: str
    picture: Picture  # uint8 of shape (height, width, 3)
    box: Box  # x0, y0, x1, y1 in pixels from 0, right and lower edges exclusive


def make(settings: Rendered, root: Path, workers: int = 2) -> None:
    """Write the data set into the folder `root`, or do nothing where it is already.

    Args:
        settings: number of models and pictures, size and seed; they alone decide every byte.
        root: folder to make; it appears at the end, complete.
        workers: processes that render; 1 renders in this one.

    Raises:
        BenchmarkError: `root` holds something else, or the disk is full.
    """
    if _finished(settings, root):
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(root)
    try:
        with writing(root):
            _write(settings, temporary, workers)
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


def _write(settings: Rendered, root: Path, workers: int) -> None:
    few, entries = scarce(settings), roster(settings)
    jobs = [(settings, entry, entry.model in few, root) for entry in entries]
    rows: list[dict[str, Any]] = []
    with mapping(workers) as mapped:
        for made in tqdm(
            mapped(_write_model, jobs), total=len(jobs), desc="rendering cars", unit="model", disable=None
        ):
            rows += made
    scenes = pd.DataFrame(rows).sort_values("image", ignore_index=True)
    compcars_files.write_sides(scenes, root / "sides.csv")
    compcars_files.write_names(settings.seed, entries, root / "misc" / "make_model_name.mat")
    scenes.to_parquet(root / SCENES, index=False)
    (root / SETTINGS).write_text(json.dumps(settings.model_dump(mode="json")), encoding="utf-8")


def _write_model(job: tuple[Rendered, Entry, bool, Path]) -> list[dict[str, Any]]:
    settings, entry, few, root = job
    return [_write_shot(settings, entry, shot, root) for shot in shots(settings, entry, few)]


def _write_shot(settings: Rendered, entry: Entry, shot: Shot, root: Path) -> dict[str, Any]:
    picture, box = _render(entry, shot.scene, shot.view, settings.seed, settings.size)
    path = root / "image" / shot.image
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=95, subsampling=0)
    compcars_files.write_label(shot, box, (root / "label" / shot.image).with_suffix(".txt"))
    return {"image": shot.image, **asdict(entry), "view": shot.view, "certain": shot.certain, **asdict(shot.scene)}


def _render(entry: Entry, scene: Scene, view: str, seed: int, size: int) -> tuple[Picture, Box]:
    return render(solid(seed, entry.make, entry.model, entry.rank), scene, view, size)


def _entry(row: Mapping[Any, Any] | pd.Series) -> Entry:
    return Entry(int(row["make"]), int(row["model"]), int(row["rank"]))


def render_view(scene: Mapping[Any, Any] | pd.Series, view: str, seed: int, size: int) -> tuple[Picture, Box]:
    """Return the car of `scene` from `view`: same paint, light, surroundings and jitters.

    Args:
        scene: a row of `scenes.parquet`.
        view: one of the eight car views; the scene's own gives the stored picture before its compression.
        seed: that of the data set.
        size: long side of the picture in pixels.

    Returns:
        The picture, uint8 of shape (height, width, 3), and the box (x0, y0, x1, y1) of the car in pixels from 0, right
        and lower edges exclusive.
    """
    return _render(_entry(scene), Scene.of(scene), view, seed, size)


def render_views(
    scenes: pd.DataFrame, view_names: Sequence[str], seed: int, size: int, workers: int = 2
) -> Iterator[Rendering]:
    """Yield every scene from every view, the views of the first row first.

    Args:
        scenes: rows of `scenes.parquet`; rows of one model that follow each other share the work of building it.
        view_names: the views to render.
        seed: that of the data set.
        size: long side of a picture in pixels.
        workers: processes that render; 1 renders in this one.
    """
    rows = enumerate(scenes.to_dict("records"))
    groups = groupby(rows, key=lambda row: _entry(row[1]))
    jobs = [(list(group), list(view_names), seed, size) for _, group in groups]
    with mapping(workers) as mapped:
        for made in mapped(_render_group, jobs):
            yield from made


def _render_group(job: tuple[list[tuple[int, dict[Any, Any]]], list[str], int, int]) -> list[Rendering]:
    rows, views, seed, size = job
    return [Rendering(i, view, *render_view(row, view, seed, size)) for i, row in rows for view in views]
