"""Labels, sides and names in the layout of CompCars."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import savemat

from rendered_cars.draws import generator
from rendered_cars.raycast import Box
from rendered_cars.roster import Entry, Shot
from rendered_cars.scene import NINE

VIEWPOINTS = {
    "front": 1, "rear": 2, "left": 3, "right": 3,
    "front_left": 4, "front_right": 4, "rear_left": 5, "rear_right": 5,
}  # fmt: skip
COARSE = {view: ("front_left", "front", "front_right")[1 + np.sign(int(view))] for view in NINE}  # as CompCars has it
UNCERTAIN = -1
HEADER = 116  # bytes of free text at the start of a MAT file, where savemat puts the time

# first and last syllables of invented names
MAKES = (
    "Bri Dal Fen Gal Hel Jor Kel Lor Mer Nor Pel Quin Ral Sel Tor Ul Vel Wen Yor Zan",
    "bara dax gard lund mond mora phen quist tessa tra vani vik wick zari",
)
MODELS = (
    "Bel Cas Dav Dro Fal Gri Hov Jun Kor Lim Lyr Mir Nav Orl Pax Pol Ril Sab Tam Tes Ven Wex Yar Zel",
    "ado ax el eo in ista ium ix ora une anto ekra",
)


def write_label(shot: Shot, box: Box, path: Path) -> None:
    """Write viewpoint, number of boxes and the box, in pixels from 1 with both ends included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    viewpoint = VIEWPOINTS[COARSE.get(shot.view, shot.view)] if shot.certain else UNCERTAIN
    x0, y0, x1, y1 = box
    path.write_text(f"{viewpoint}\n1\n{x0 + 1} {y0 + 1} {x1} {y1}\n", encoding="utf-8", newline="\n")


def write_sides(scenes: pd.DataFrame, path: Path) -> None:
    """Write the side seen in every picture of certain viewpoint that shows one."""
    views = scenes["view"].replace(COARSE)
    sided = scenes[~views.isin(["front", "rear"]) & scenes["certain"]]
    sides = views.str.rpartition("_")[2]
    sided[["image"]].assign(side=sides).to_csv(path, index=False, lineterminator="\n")


def write_names(seed: int, entries: list[Entry], path: Path) -> None:
    """Write the names by id, counted from 1; ids that are not used have empty names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    makes = _names(generator(seed, "make names"), MAKES, {entry.make for entry in entries})
    models = _names(generator(seed, "model names"), MODELS, {entry.model for entry in entries})
    savemat(path, {"make_names": makes, "model_names": models})
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, names of rendered cars".ljust(HEADER) + content[HEADER:])


def _names(rng: np.random.Generator, syllables: tuple[str, str], ids: set[int]) -> np.ndarray:
    """Return a column of names such as `Veltra`, no two the same; that of an id stands at its place from 1."""
    words = ["".join(pair) for pair in product(*(part.split() for part in syllables))]
    order = rng.permutation(len(words))
    names = np.full((max(ids), 1), "", dtype=object)
    for number in ids:
        word = words[int(order[number % len(words)])]
        names[number - 1, 0] = word if number < len(words) else f"{word} {number // len(words) + 1}"
    return names
