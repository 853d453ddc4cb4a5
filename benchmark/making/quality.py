"""Image quality of the outputs of a model or control."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.evaluation.outputs import Outputs
from benchmark.evaluation.quality import quality
from benchmark.files import write_text
from benchmark.run.artifacts import Artifact, Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.workspace import Run

QUALITY, OUTPUTS = "quality.json", "outputs.safetensors"


def needs(run: "Run", artifact: Artifact) -> list[Artifact]:
    """Return the outputs of real images, and those that are compared with them."""
    own = replace(artifact, kind="outputs")
    real = replace(own, name="real", seed=0)
    return [real] if own == real else [real, own]


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Compare them."""
    found = [Outputs.load(each.cell(run).folder / OUTPUTS) for each in needs(run, artifact)]
    write_text(folder / QUALITY, json.dumps(quality(found[0], found[-1])._asdict(), indent=2) + "\n")
    return Made((QUALITY,), {})
