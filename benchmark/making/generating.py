"""Generate functions of the rows of the tables: of a control, a generator, or stored pictures."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.data.held_out import of_validation
from benchmark.data.image_store import open_store
from benchmark.evaluation import generate
from benchmark.evaluation.generate import Generate
from benchmark.files import reading
from benchmark.making import trained
from benchmark.run.artifacts import CONTROLS, Artifact, externals

if TYPE_CHECKING:
    from benchmark.data.image_store import ImageStore
    from benchmark.run.workspace import Run

PICTURES = "pictures.npy"  # of the artefacts `oracle` and `external`


def measured_store(run: "Run", measured: str) -> "ImageStore":
    """Return the image store, for `validation` with the validation identities in the place of the standard ones."""
    store = open_store(run)
    return of_validation(store) if measured == "validation" else store


def needed(run: "Run", artifact: Artifact) -> list[Artifact]:
    """Return what a row's function is made from."""
    if artifact.name == "oracle":
        return [Artifact("oracle")]
    if artifact.name in externals(run):
        return [Artifact("external", artifact.name)]
    return [] if artifact.name in CONTROLS else [Artifact("generator", artifact.name, artifact.seed)]


def generate_function(run: "Run", artifact: Artifact, store: "ImageStore", device: torch.device) -> Generate:
    """Return the function of a row."""
    if artifact.name in ("real", "copy"):
        return generate.copy(store)
    if artifact.name == "mean_image":
        return generate.mean_image(store)
    (made_from,) = needed(run, artifact)
    if made_from.kind != "generator":
        path = made_from.cell(run).folder / PICTURES
        with reading(path):
            return generate.stored(np.load(path, mmap_mode="r", allow_pickle=False), store.subset("standard"))
    return generate.trained(trained.load_finished(run, artifact.name, artifact.seed, device), store)
