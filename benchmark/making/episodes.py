"""The classes and images of the few-shot episodes, the same for every row."""

from typing import TYPE_CHECKING

import pandas as pd

from benchmark.data.image_store import open_store
from benchmark.evaluation import episodes
from benchmark.files import reading, replacing
from benchmark.run.artifacts import Artifact, Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.workspace import Run

EPISODES = "episodes.parquet"


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Draw them."""
    settings, manifest = run.settings.fewshot, open_store(run).manifest
    drawn = episodes.draw_all(manifest, run.settings.data.dataset, settings.ways, settings.shots, settings.episodes)
    with replacing(folder / EPISODES) as temporary:
        drawn.to_parquet(temporary, index=False)
    return Made((EPISODES,), {})


def load(run: "Run") -> pd.DataFrame:
    """Return the finished episodes."""
    path = Artifact("episodes").cell(run).folder / EPISODES
    with reading(path):
        return pd.read_parquet(path)
