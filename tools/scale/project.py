"""A project of made-up pictures: a folder with a params.yaml in which every stage can run."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from benchmark.seeding import rng

VIEWS = ("left", "front", "right")
SIDE = 32  # pixels
LEAST_IDENTITIES = 400  # 20 % of them are evaluated: enough for N_c = 80
PER_IDENTITY = 30  # images, as in CompCars, where there are enough

PARAMS = {
    "active": "scale",
    "models": ["vanilla"],
    "profiles": {
        "scale": {
            "name": "scale",
            "models": "all",
            "data": {
                "dataset": "table",
                "root": "photos",
                "image_size": SIDE,
                "views": list(VIEWS),
                "minimum_images": 2,
                "auxiliary": 0.8,
            },
            "training": {"images": 320, "batch_size": 32, "width": 0.125, "refresh_batches": 5},
            "extractor": {"epochs": 1, "view_epochs": 1, "batch_size": 64, "learning_rate": 0.05, "held_out": 0.5},
            "evaluation": {"nc": [20, 50, 80], "draws": 10},
            "fewshot": {"shots": [1], "episodes": 1, "steps": 10, "controls": ["no_augmentation", "copy"]},
        }
    },
}


def make(folder: Path, images: int) -> None:
    """Write `params.yaml`, and so many noisy pictures with their labels: identities differ in colour, views in form."""
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False), encoding="utf-8")
    identities = max(LEAST_IDENTITIES, images // PER_IDENTITY)
    rows = [_picture(folder / "photos", number, number % identities, number // identities) for number in range(images)]
    columns = ["image", "identity", "view", "group"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "photos" / "annotations.csv", index=False)


def _picture(folder: Path, number: int, identity: int, place: int) -> tuple[str, str, str, str]:
    """Write a picture, in its place among those of the identity; return its name, identity, view and group of two."""
    view = place % len(VIEWS)
    random = rng("scale", number)
    pixels = rng("scale colour", identity).integers(60, 200, 3) + random.normal(0, 20, (SIDE, SIDE, 3))
    pixels[:, 10 * view :][:, :10] += 60
    name = f"{identity:05}/{number:06}.jpg"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name, quality=90)
    return name, f"id{identity:05}", VIEWS[view], f"{identity}/{place % 2}"
