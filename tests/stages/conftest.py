"""A small finished run that the tests of the stages share."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.config import settings
from benchmark.config.settings import CARS, override, with_dataset
from benchmark.reporting import render
from benchmark.run.workspace import Run
from benchmark.seeding import rng
from benchmark.stages.pipeline import run_everything
from tests.tools import PROJECT, TINY

CHANGES = {
    "data.root": "pictures",
    "data.annotations": "pictures/labels.csv",
    "data.auxiliary": 7,
    "data.standard": 5,
    "training.images": 64,
    "training.checkpoint_minutes": 0.0,
    "training.log_every": 1,
    "extractor.epochs": 1,
    "extractor.view_epochs": 1,
    "evaluation.nc": [2, 3],
    "evaluation.draws": 2,
    "fewshot.controls": ["no_augmentation", "copy", "oracle"],
    "fewshot.steps": 1,
    "models": ["tiny"],
    "seeds": 2,
}


def draw_pictures(folder: Path) -> None:
    """Twelve identities, two noisy pictures of each from each view.

    Every third identity is a single group, the others are three groups of three or four pictures.
    """
    folder.mkdir()
    random, rows = rng("pictures"), []
    for identity in range(12):
        colour = random.integers(60, 200, 3)
        for number in range(2 * len(CARS)):
            name, view = f"{identity}_{number}.png", CARS[number % len(CARS)]
            pixels = np.clip(colour + random.normal(0, 20, (36, 36, 3)), 0, 255).astype(np.uint8)
            pixels[:, 7 * (number % len(CARS)) :][:, :7] = 255
            Image.fromarray(pixels).save(folder / name)
            rows.append((name, f"id{identity:02}", view, f"g{0 if identity % 3 == 2 else number % 3}"))
    columns = ["image", "identity", "view", "group"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "labels.csv", index=False)


@contextmanager
def empty_run(folder: Path, name: str) -> Iterator[Run]:
    """A run over drawn pictures in which nothing is made yet; `folder` is the working directory."""
    draw_pictures(folder / "pictures")
    smoke = settings.profile("smoke", PROJECT / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        chosen = override(with_dataset(smoke, "table"), CHANGES)
        yield Run(chosen, Path("runs") / name, Path("results"), "cpu", (TINY,))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run after all stages, without figures and without a network; its folder is the working directory."""
    asked: list[object] = []
    with empty_run(tmp_path_factory.mktemp("stages"), "test") as run, pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "draw_all", lambda *arguments: [])  # seconds each time; one test draws them
        patch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
        patch.setattr(socket, "getaddrinfo", lambda *name: asked.append(name))
        run_everything(run)
        assert not asked, "a run reaches for the network"
        yield run
