"""Pictures of the standard images that a generator elsewhere has made: a folder, and a table that says what is what.

The table is a CSV with the columns `output` (image file, relative to the folder), `input` (the standard image, as the
manifest names it) and `target` (name of the view to show); every standard image stands there once with every view.
"""

import shutil
import warnings
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.data import annotations, tree
from benchmark.data.images import in_threads
from benchmark.data.pictures import Pixels, crop, decode
from benchmark.errors import BenchmarkError, shown
from benchmark.files import writing

COLUMNS = ["output", "input", "target"]
PICTURES, TABLE = "pictures.npy", "outputs.csv"


def take(folder: Path, table: Path, images: Sequence[str], views: Sequence[str], size: int, out: Path) -> None:
    """Check pictures and write them to the folder `out`: PICTURES, (N, views, S, S, 3) of uint8, and TABLE as it is.

    Args:
        folder: which holds the files.
        table: the CSV.
        images: names of the N standard images, in the order of the manifest.
        views: names of the views, in the order of the settings.
        size: side S; square pictures of another side are resized as `pictures.crop` does.
        out: an existing folder.

    Raises:
        BenchmarkError: a picture is missing, stands there twice, is no readable square, or lies outside `folder`, or
            the table names what is no standard image or no view; the sentence names the first, and says how many.
    """
    files = [folder / name for name in _listed(folder, table, images, views)]
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(images), len(views), size, size, 3)}
    wrong = []
    with writing(out / PICTURES), (out / PICTURES).open("wb") as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        np.lib.format.write_array_header_1_0(file, header)
        for square in in_threads(lambda path: _square(path, size), files):
            if isinstance(square, str):
                wrong.append(square)
            else:
                file.write(square.tobytes())
    if wrong:
        raise BenchmarkError(
            f"{wrong[0]}; of {len(files)} pictures {len(wrong)} cannot be used, repair or replace them"
        )
    shutil.copyfile(table, out / TABLE)


def _listed(folder: Path, table: Path, images: Sequence[str], views: Sequence[str]) -> list[str]:
    """Return the files of all pairs of an image and a view, the views of an image one after another."""
    if not folder.is_dir():
        raise BenchmarkError(f"{folder} is no folder; --images must name one of pictures")
    if not table.is_file():
        raise BenchmarkError(
            f"{table} is missing; write it with the columns {', '.join(COLUMNS)}, or name it by --table"
        )
    rows = annotations.read(table, COLUMNS)

    def refuse(column: str, bad: pd.Series, message: str) -> None:
        annotations.refuse(table, rows[column], bad, f"{message} (lines like this: {bad.sum()})")

    refuse("target", ~rows["target"].isin(list(views)), f"is not in data.views, which has {', '.join(views)}")
    refuse("input", ~rows["input"].isin(list(images)), "is no standard image; targets.csv of an export has their names")
    refuse("input", rows.duplicated(["input", "target"]), "stands there with the same target before; leave one of them")
    outside = pd.Series(list(tree.leaving(rows["output"], folder)), rows.index, dtype=bool)
    refuse("output", outside, f"leads out of {folder}; put the file itself there and name it relative to that")
    found = dict(zip(zip(rows["input"], rows["target"], strict=True), rows["output"], strict=True))
    wanted = list(product(images, views))
    missing = [pair for pair in wanted if pair not in found]
    if missing:
        image, view = map(shown, missing[0])
        raise BenchmarkError(
            f"{table}: there is no line for the input {image} and the target {view} (missing lines: {len(missing)})"
        )
    return [found[pair] for pair in wanted]


def _square(path: Path, size: int) -> Pixels | str:
    """Return a picture of that side, or why there is none."""
    try:
        picture = decode(path)
        height, width = picture.shape[:2]
        if height != width:
            return f"{path} has {width} x {height} pixels and must be square"
        return crop(picture, None, size, margin=0.0)
    except BenchmarkError as error:
        return str(error)
