"""Some measured images turned to every view, to be shown."""

from typing import TYPE_CHECKING

from benchmark.data import tiles
from benchmark.environment import open_fabric
from benchmark.evaluation import samples
from benchmark.making import generating
from benchmark.run.artifacts import Artifact, Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.workspace import Run

SAMPLES = "samples.png"
ROWS = 8


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Draw them."""
    store, views = generating.measured_store(run, artifact.measured), len(run.settings.data.views)
    function = generating.generate_function(run, artifact, store, open_fabric(run.device).device)
    columns = samples.sample_columns(function, store, views, samples.sample_positions(store, views, ROWS))
    tiles.write(samples.tiles(columns), folder / SAMPLES)
    return Made((SAMPLES,), {})
