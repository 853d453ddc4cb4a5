"""A project in a folder of its own, with pictures that all cases share."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image

from benchmark.config.settings import CARS
from benchmark.data.image_store import ImageStore
from benchmark.data.manifest import read

SIDE = 16  # of every picture and of the store, so that stored pixels are those of the file
IDENTITIES, EACH = 11, 10  # more than a hundred images: one of them may be unreadable


def profile(**data: Any) -> dict[str, Any]:
    """Return the profile `hostile` with changes to its section `data`."""
    return {
        "name": "hostile",
        "models": ["vanilla"],
        "data": {"dataset": "table", "root": "pictures", "image_size": SIDE, "margin": 0.0, **data},
        "training": {"images": 64},
        "evaluation": {"nc": [2]},
        "fewshot": {"ways": 2, "shots": []},
    }


def new_project(top: Path, **data: Any) -> Path:
    """Return a project two folders below `top` that holds the one profile `hostile` and nothing else."""
    project = top / "home" / "project"
    project.mkdir(parents=True)
    write_settings(project, profile(**data))
    return project


def write_settings(project: Path, settings: Mapping[str, Any]) -> None:
    content = {"active": "hostile", "models": ["vanilla"], "profiles": {"hostile": dict(settings)}}
    (project / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def draw_pictures(folder: Path) -> None:
    """Draw the pictures that `table` lists."""
    for number in range(IDENTITIES * EACH):
        Image.fromarray(noise(number)).save(folder / f"{number:03}.png")


def noise(seed: int = 0) -> NDArray[np.uint8]:
    """Return the pixels of a picture."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def linked(source: Path, target: Path) -> Path:
    """Put the files of a folder into another without copying them; a case that changes one replaces it."""
    shutil.copytree(source, target, copy_function=os.link, dirs_exist_ok=True)
    return target


def table(**changes: Any) -> pd.DataFrame:
    """Return the rows of annotations.csv for the shared pictures; a change is a column."""
    numbers = np.arange(IDENTITIES * EACH)
    rows = {
        "image": [f"{number:03}.png" for number in numbers],
        "identity": [f"car {number // EACH}" for number in numbers],
        "view": [CARS[number % len(CARS)] for number in numbers],
    }
    return pd.DataFrame({**rows, **changes}, dtype=str)


def stored(project: Path, image: str) -> NDArray[np.uint8]:
    """Return the pixels that were stored of an image."""
    data = project / "runs/hostile/data"
    store = ImageStore.open(data / "store", data / "split.parquet")
    rows = store.manifest.set_index("image")["row"]
    pixels: NDArray[np.uint8] = store.images[rows[image]]
    return pixels


def manifest(project: Path) -> pd.DataFrame:
    """Return the manifest that was read, by image."""
    return read(project / "runs/hostile/data/manifest.parquet").set_index("image")
