"""The smallest run that has a cell of every kind: made in a second, or looked through in a quarter of one."""

import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from torch import nn

from benchmark import files
from benchmark.config import settings
from benchmark.config.settings import override, with_dataset
from benchmark.evaluation import resnet
from benchmark.evaluation.resnet import FEATURES
from benchmark.run.workspace import Run
from benchmark.seeding import rng
from benchmark.stages import pipeline
from benchmark.stages.evaluate import brought, export
from models import registry
from tests.tools import PROJECT, TINY

SETTINGS = {
    "models": ["tiny"],
    "data.root": "pictures",
    "data.annotations": "labels.csv",
    "data.image_size": 16,
    "data.views": ["left", "right"],
    "data.auxiliary": 4,
    "data.standard": 3,
    "data.order": "name",
    "training.images": 32,
    "training.batch_size": 16,
    "training.log_every": 1,
    "extractor.epochs": 1,
    "extractor.view_epochs": 1,
    "extractor.batch_size": 16,
    "evaluation.nc": [2],
    "evaluation.draws": 1,
    "fewshot.ways": 2,
    "fewshot.shots": [2],
    "fewshot.generated": 2,
    "fewshot.controls": ["no_augmentation"],
    "fewshot.steps": 1,
    "fewshot.batch_size": 4,
}


@contextmanager
def small_run(folder: Path) -> Iterator[Run]:
    """A run without tables in which nothing is made yet; `folder` is the working directory."""
    smoke = settings.profile("smoke", PROJECT / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in ("collect", "report"):  # these have no cell: tables are made each time
            patch.setattr(pipeline, stage, lambda run: None)
        patch.setattr(resnet, "network", small_network)
        patch.setattr(registry, "entry_points", lambda group: ())  # slow, as is the next
        patch.setattr(files, "sync", lambda path: None)
        draw_pictures()
        code = TINY.read_text(encoding="utf-8").replace(
            "import torch\n", "import torch\nfrom models.layers import blocks\n"
        )
        Path("tiny.py").write_text(code, encoding="utf-8")
        chosen = override(with_dataset(smoke, "table"), SETTINGS)
        yield Run(chosen, Path("runs/finished"), Path("results"), "cpu", (Path("tiny.py"),))


@contextmanager
def with_pictures(run: Run) -> Iterator[Run]:
    """The run with pictures made elsewhere, called `outside`: each input for each of its views."""
    folder = Path("outside")
    export(run, folder)
    table = pd.read_csv(folder / "targets.csv", dtype=str)
    table.assign(output=table["file"]).to_csv(folder / "outputs.csv", index=False)
    with brought(run, "outside", folder) as bringing:
        yield bringing


def copy(run: Run, folder: Path) -> Run:
    """Return a copy whose files are those of the run, until they are written again."""
    folder = folder / run.name  # of its own name, and with no other beside it to take something from
    shutil.copytree(run.folder, folder, copy_function=os.link, ignore=shutil.ignore_patterns("locks"))
    return replace(run, folder=folder)


def draw_pictures() -> None:
    """Seven identities of twelve pictures, and an eighth, in no set, of ten."""
    random, rows = rng("pictures"), []
    Path("pictures").mkdir()
    for identity in range(8):
        colour = random.integers(60, 200, 3)
        for number in range(10 if identity == 7 else 12):
            name = f"{identity}_{number}.png"
            pixels = np.clip(colour + random.normal(0, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(f"pictures/{name}")
            rows.append((name, f"id{identity}", ("left", "right")[number % 2], "4 4 20 20"))
    pd.DataFrame(rows, columns=["image", "identity", "view", "box"]).to_csv("labels.csv", index=False)


def small_network(classes: int, stem: str) -> nn.Module:
    """Stand in for ResNet18, with a pooled feature as long as its."""
    side = {"stock": 4, "small": 2}[stem]
    layers = {"conv": nn.Conv2d(3, FEATURES, side, side), "pool": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten()}
    return nn.Sequential(OrderedDict(**layers, fc=nn.Linear(FEATURES, classes)))
