"""From the name of a model to the model before its training."""

from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError
from benchmark.run.artifacts import entry, is_model
from benchmark.seeding import seed_global
from models.capacity import sized
from models.interface import ModelSpec, ViewModel
from models.registry import UnknownModelError

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.data.image_store import ImageStore
    from benchmark.run.artifacts import Artifact
    from benchmark.run.workspace import Run


def model_files(run: "Run", artifact: "Artifact") -> "list[Path]":
    """Return the files of the model that an artefact is made with, none where it is made with no model."""
    return entry(run, artifact.name).sources if is_model(run, artifact.name) else []


def spec(run: "Run", identities: int) -> ModelSpec:
    """Return what the models of a run are built for, before a fitted model gets a width of its own."""
    settings, training = run.settings.data, run.settings.training
    return ModelSpec(
        image_size=settings.image_size,
        views=len(settings.views),
        identities=identities,
        width=training.width,
        batch_size=training.batch_size,
        images=training.images,
        learning_rate_factor=training.learning_rate_factor,
        generator_steps=training.generator_steps,
        attribute_weight=training.attribute_weight,
        refresh_batches=training.refresh_batches,
        initialisation=training.initialisation,
        noise=training.noise,
    )


def build(run: "Run", model: str, store: "ImageStore", seed: int = 0) -> ViewModel:
    """Return the model with the weights it has before training.

    Raises:
        BenchmarkError: the model refuses the settings.
    """
    seed_global("weights", model, seed)
    return _build(run, model, training_identities(store))


def check(run: "Run", model: str) -> None:
    """Raise BenchmarkError if there is no such model, or if it cannot be built for the run's image size."""
    _build(run, model, identities=2)


def training_identities(store: "ImageStore") -> int:
    """Return the number N_i of identities in the training data."""
    return int(store.manifest["identity_label"].max()) + 1


def load(run: "Run", model: str) -> type[ViewModel]:
    """Return the class of a model.

    Raises:
        BenchmarkError: there is none, or it cannot be imported.
    """
    try:
        return entry(run, model).load()
    except UnknownModelError as error:
        raise BenchmarkError(f"the model {model} cannot be built: {error}") from None


def _build(run: "Run", model: str, identities: int) -> ViewModel:
    kind = load(run, model)
    try:
        return kind(sized(kind, spec(run, identities)))
    except ValueError as error:
        raise BenchmarkError(f"the model {model} cannot be built: {error}") from None
