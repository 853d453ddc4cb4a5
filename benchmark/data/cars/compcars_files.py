"""Labels, sides and names in the layout of CompCars."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import savemat

from benchmark.data.cars.names import make_name, model_name
from benchmark.data.cars.raycast import Box
from benchmark.data.cars.roster import Entry, Shot

VIEWPOINTS = {
    "front": 1, "rear": 2, "left": 3, "right": 3,
    "front_left": 4, "front_right": 4, "rear_left": 5, "rear_right": 5,
}  # fmt: skip
UNCERTAIN = -1
HEADER = 116  # bytes of free text at the start of a MAT file, where savemat puts the time


def write_label(shot: Shot, box: Box, path: Path) -> None:
    """Write viewpoint, number of boxes and the box, in pixels from 1 with both ends included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    viewpoint = VIEWPOINTS[shot.view] if shot.certain else UNCERTAIN
    x0, y0, x1, y1 = box
    path.write_text(f"{viewpoint}\n1\n{x0 + 1} {y0 + 1} {x1} {y1}\n", encoding="utf-8", newline="\n")


def write_sides(scenes: pd.DataFrame, path: Path) -> None:
    """Write the side seen in every picture of certain viewpoint that shows one."""
    sided = scenes[~scenes["view"].isin(["front", "rear"]) & scenes["certain"]]
    sides = sided["view"].str.rpartition("_")[2]
    sided[["image"]].assign(side=sides).to_csv(path, index=False, lineterminator="\n")


def _cells(names: dict[int, str]) -> np.ndarray:
    cells = np.empty((max(names), 1), dtype=object)
    for i in range(len(cells)):
        cells[i, 0] = names.get(i + 1, "")
    return cells


def write_names(seed: int, entries: list[Entry], path: Path) -> None:
    """Write the names by id, counted from 1; ids that are not used have empty names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    makes = {entry.make: make_name(seed, entry.make) for entry in entries}
    models = {entry.model: model_name(seed, entry.model) for entry in entries}
    savemat(path, {"make_names": _cells(makes), "model_names": _cells(models)})
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, names of rendered cars".ljust(HEADER) + content[HEADER:])
