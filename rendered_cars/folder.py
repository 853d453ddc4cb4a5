"""The data set as a folder, and the cars of its pictures seen from other views.

`scenes.parquet` holds one row for each picture: image (relative to `image/`), make, model, rank (place of the model in
its make), view, certain (whether the label tells the view), and the fields of `scene.Scene`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from PIL import Image
from tqdm import tqdm

from rendered_cars import labels
from rendered_cars.raycast import Box, Picture, render
from rendered_cars.roster import Entry, roster, scarce, shots
from rendered_cars.scene import Scene
from rendered_cars.solid import solid
from rendered_cars.workers import mapping

SCENES = "scenes.parquet"


class Rendering(NamedTuple):
    """A picture made by `render_views`."""

    row: int  # position of the scene in the table, from 0
    view: str
    picture: Picture  # uint8 of shape (height, width, 3)
    box: Box  # x0, y0, x1, y1 in pixels from 0, right and lower edges exclusive


def write(
    root: Path,
    identities: int,
    few_pictured: int,
    images: tuple[int, int],
    size: int,
    seed: int,
    *,
    nine: bool = False,
    workers: int = 2,
    progress: Callable[..., Iterable[Any]] = tqdm,
) -> None:
    """Write the data set; the numbers alone decide every byte.

    Args:
        root: folder to make or fill; it is not complete before the end.
        identities: number of models.
        few_pictured: how many of them get few pictures.
        images: fewest and most pictures of every other model.
        size: long side of a picture in pixels.
        seed: of everything drawn.
        nine: whether the pictures are from the nine views within 60 degrees of the front, and not from the car views.
        workers: processes that render; 1 renders in this one.
        progress: shows how far it is; called like tqdm.

    Raises:
        BrokenProcessPool: one of them was killed.
    """
    entries = roster(identities, seed)
    few = scarce(entries, few_pictured, seed)
    job = partial(_write_model, root, images, size, seed, nine)
    rows: list[dict[str, Any]] = []
    with mapping(workers) as mapped:
        made = mapped(job, [(entry, entry.model in few) for entry in entries])
        for some in progress(made, total=len(entries), desc="rendering cars", unit="model"):
            rows += some
    scenes = pd.DataFrame(rows).sort_values("image", ignore_index=True)
    labels.write_sides(scenes, root / "sides.csv")
    labels.write_names(seed, entries, root / "misc" / "make_model_name.mat")
    scenes.to_parquet(root / SCENES, index=False)


def _write_model(
    root: Path, images: tuple[int, int], size: int, seed: int, nine: bool, model: tuple[Entry, bool]
) -> list[dict[str, Any]]:
    """Write the pictures and labels of a model, few where the second says so; return their rows of the table."""
    entry, few = model
    rows = []
    for shot in shots(entry, few, images, seed, nine):
        picture, box = render(solid(seed, entry.make, entry.model, entry.rank), shot.scene, shot.view, size)
        path = root / "image" / shot.image
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, quality=95, subsampling=0)
        labels.write_label(shot, box, (root / "label" / shot.image).with_suffix(".txt"))
        facts = {"image": shot.image, **asdict(entry), "view": shot.view, "certain": shot.certain}
        rows.append({**facts, **asdict(shot.scene)})
    return rows


def render_view(row: Mapping[Any, Any] | pd.Series, view: str, size: int, seed: int) -> tuple[Picture, Box]:
    """Return the car of a scene from `view`: same paint, light, surroundings and jitters.

    Args:
        row: one of `scenes.parquet`.
        view: one of `scene.AZIMUTHS`; the scene's own gives the stored picture before its compression.
        size: long side of the picture in pixels.
        seed: that of the data set.

    Returns:
        The picture, uint8 of shape (height, width, 3), and the box (x0, y0, x1, y1) of the car in pixels from 0, right
        and lower edges exclusive.
    """
    return render(solid(seed, *_model(row)), Scene.of(row), view, size)


def render_views(
    scenes: pd.DataFrame, views: Sequence[str], size: int, seed: int, workers: int = 2
) -> Iterator[Rendering]:
    """Yield every scene from every view, the views of the first row first.

    Args:
        scenes: rows of `scenes.parquet`; rows of one model that follow each other share the work of building it.
        views: the views to render.
        size: long side of the pictures in pixels.
        seed: that of the data set.
        workers: processes that render; 1 renders in this one.

    Raises:
        BrokenProcessPool: one of them was killed.
    """
    rows = enumerate(scenes.to_dict("records"))
    jobs = [list(group) for _, group in groupby(rows, key=lambda row: _model(row[1]))]
    with mapping(workers) as mapped:
        for made in mapped(partial(_render_rows, list(views), size, seed), jobs):
            yield from made


def _render_rows(views: list[str], size: int, seed: int, rows: list[tuple[int, dict[Any, Any]]]) -> list[Rendering]:
    return [Rendering(number, view, *render_view(row, view, size, seed)) for number, row in rows for view in views]


def _model(row: Mapping[Any, Any] | pd.Series) -> tuple[int, int, int]:
    return int(row["make"]), int(row["model"]), int(row["rank"])
