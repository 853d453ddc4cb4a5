"""Generated images that a KNN recognises, for one number of classes and one split."""

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.data.held_out import of_validation
from benchmark.data.image_store import open_store
from benchmark.evaluation import identity
from benchmark.evaluation.draws import draw
from benchmark.evaluation.outputs import Outputs
from benchmark.files import replacing
from benchmark.run.artifacts import Artifact, Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.workspace import Run

OUTCOMES, OUTPUTS = "outcomes.parquet", "outputs.safetensors"


def needs(run: "Run", artifact: Artifact) -> list[Artifact]:
    """Return the outputs of real images, which train the KNN, and those that are tested."""
    own = replace(artifact, kind="outputs", split="", nc=0)
    real = replace(own, name="real", seed=0)
    return [real] if own == real else [real, own]


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Test the outputs."""
    real, *others = [Outputs.load(each.cell(run).folder / OUTPUTS) for each in needs(run, artifact)]
    store = open_store(run)
    manifest = (of_validation(store) if artifact.measured == "validation" else store).manifest
    evaluation, dataset = run.settings.evaluation, run.settings.data.dataset
    numbers = range(evaluation.draws)
    draws = (draw(manifest, dataset, artifact.nc, n, evaluation.test_share, artifact.split) for n in numbers)
    found = identity.outcomes(draws, manifest, real, others[0] if others else real, evaluation.neighbours)
    with replacing(folder / OUTCOMES) as temporary:
        found.to_parquet(temporary, index=False)
    return Made((OUTCOMES,), {})
