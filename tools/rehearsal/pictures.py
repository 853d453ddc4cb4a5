"""Some hundred pictures that stand for a data set's: rendered cars, or squares and photographs of plain noise."""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from benchmark.data.manifest import CAR_VIEWS
from benchmark.seeding import rng
from rendered_cars.draws import generator
from rendered_cars.folder import render_views
from rendered_cars.roster import roster
from rendered_cars.scene import draw

RENDERED = 300  # pixels of the long side of a rendered car, before it is enlarged to that of a photograph
SEED = 7  # of the cars


class Drawn(NamedTuple):
    """A picture on the disk: its file, and the box of the car in pixels from 1, both ends included."""

    path: Path
    box: tuple[int, int, int, int]


def cars(folder: Path, long_side: int, models: int, scenes: int) -> dict[str, list[Drawn]]:
    """Write JPEGs of so many rendered cars in so many scenes from all eight views; return those of each view."""
    folder.mkdir(parents=True)
    entries = [(entry, generator("rehearsal", entry.model, n)) for entry in roster(models, SEED) for n in range(scenes)]
    table = pd.DataFrame([{**asdict(entry), **asdict(draw(random))} for entry, random in entries])
    drawn: dict[str, list[Drawn]] = {view: [] for view in CAR_VIEWS}
    side = min(RENDERED, long_side)
    for number, (_, view, pixels, box) in enumerate(render_views(table, CAR_VIEWS, side, SEED, workers=1)):
        scale = long_side / side
        picture = Image.fromarray(pixels)
        size = round(scale * picture.width), round(scale * picture.height)
        path = folder / f"{number:03}.jpg"
        picture.resize(size, Image.Resampling.BICUBIC).save(path, quality=90)
        x0, y0, x1, y1 = (round(scale * edge) for edge in box)
        drawn[view].append(Drawn(path, (max(0, x0) + 1, max(0, y0) + 1, min(size[0], x1), min(size[1], y1))))
    return drawn


def noise(folder: Path, size: tuple[int, int], count: int, ending: str = "png") -> list[Path]:
    """Write so many pictures of smooth noise, of `size` width x height pixels."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number:03}.{ending}" for number in range(count)]
    for number, path in enumerate(paths):
        coarse = rng("rehearsal", number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
    return paths
