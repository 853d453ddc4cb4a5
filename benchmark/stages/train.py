"""Training one model with one seed: the stage train."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import sources
from benchmark.cells import Cell, Decision
from benchmark.data.images import ImageStore
from benchmark.environment import device_name, open_fabric, versions
from benchmark.errors import BenchmarkError, DivergedError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.files import sha256
from benchmark.seeding import seed_global
from benchmark.stages.data import open_store
from benchmark.training import loop
from benchmark.training.checkpoint import Progress
from benchmark.training.compiling import CompilingFabric, compilable
from benchmark.training.live import LiveLog
from benchmark.training.sampling import AuxiliaryBatches, to_float
from benchmark.workspace import Run
from models.capacity import generator_parameters, sized
from models.interface import ModelSpec, ViewModel
from models.registry import Entry, UnknownModelError, find

MODULES = ("loop", "sampling", "compiling")
TRAINING = tuple(f"benchmark.training.{module}" for module in MODULES)  # what can change a model's weights
SAMPLES = 4  # inputs in a sample grid of the live logs


def entry(run: Run, model: str) -> Entry:
    """Return the registry's entry of a model.

    A plug-in is executed only where the user names it. The path that a finished training recorded is shown, not
    followed: the folder of a run can come from someone else.

    Raises:
        BenchmarkError: there is no such model, or it has the name of a control.
    """
    if model in {*OF_IDENTITY, *OF_FEWSHOT}:
        raise BenchmarkError(f"no model can be called {model}: a control of the tables has this name; give it another")
    try:
        return find(model, run.plugins)
    except UnknownModelError as error:
        plugin = _recorded(run, model)
        named = f"{model} was trained from a file that is executed only where it is named: give --plugin {plugin!r}"
        raise BenchmarkError(named if plugin else str(error)) from None


def _recorded(run: Run, model: str) -> str:
    """Return where a finished training says that its plug-in was, an empty string without one."""
    folders = sorted((run.folder / "models" / model).glob("seed*"))
    targets = (str(Cell(folder, {}).record.get("target", "")) for folder in folders)
    return next((target for target in targets if target.endswith(".py")), "")


def spec(run: Run, identities: int) -> ModelSpec:
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
    )


def cell(run: Run, model: str, seed: int, store: ImageStore, device: str) -> Cell:
    """Return the cell of one trained model."""
    found = entry(run, model)
    built_for = _own_spec(run, _load(run, model), training_identities(store))
    files = [*sources.closure(*TRAINING, *found.sources), Path(__file__)]
    fingerprint = {
        "spec": asdict(built_for),
        "precision": run.settings.training.precision,
        "compile": run.settings.training.compile,
        "average": run.settings.training.average,
        "log_every": run.settings.training.log_every,
        "data_hash": store.content_hash,
        "seed": seed,
        "sources": sources.hashes(files),
        "versions": versions(),
        "device": device,
    }
    return Cell(run.folder / place(model, seed), fingerprint)


def place(model: str, seed: int) -> str:
    """Return where a trained model lies in the folder of its run; also the name of its lock."""
    return f"models/{model}/seed{seed}"


def build(run: Run, model: str, store: ImageStore, seed: int = 0) -> ViewModel:
    """Return the model with the weights it has before training.

    Raises:
        BenchmarkError: the model refuses the settings.
    """
    seed_global("weights", model, seed)
    return _build(run, model, training_identities(store))


def check(run: Run, model: str) -> None:
    """Raise BenchmarkError if there is no such model, or if it cannot be built for the run's image size."""
    _build(run, model, identities=2)


def training_identities(store: ImageStore) -> int:
    """Return the number N_i of identities in the training data."""
    return int(store.manifest["identity_label"].max()) + 1


def _load(run: Run, model: str) -> type[ViewModel]:
    try:
        return entry(run, model).load()
    except UnknownModelError as error:
        raise BenchmarkError(f"the model {model} cannot be built: {error}") from None


def _build(run: Run, model: str, identities: int) -> ViewModel:
    kind = _load(run, model)
    of = _own_spec(run, kind, identities)
    try:
        return kind(of)
    except ValueError as error:
        raise BenchmarkError(f"the model {model} cannot be built: {error}") from None


def _own_spec(run: Run, kind: type[ViewModel], identities: int) -> ModelSpec:
    """Return what a model is built for, with the width that it is fitted to."""
    try:
        return sized(kind, spec(run, identities))
    except ValueError as error:
        raise BenchmarkError(f"the model {kind.__name__} cannot be built: {error}") from None


def train(run: Run, model: str, seed: int, wait: bool = True) -> None:
    """Train a model with a seed, unless its cell is done.

    Raises:
        InterruptedRun: the user asked to stop; the state is saved.
        BenchmarkError: a loss is not finite.
        Timeout: another process trains the same, and `wait` is false.
    """
    store = open_store(run)
    fabric = open_fabric(run.device, run.settings.training.precision)
    with run.lock(place(model, seed), wait):
        target = cell(run, model, seed, store, fabric.device.type)
        decision = target.decide()
        print(f"{model} seed {seed}: {decision.action} ({decision.reason})")
        if decision.action != "skip":
            _compare(target, decision, _device_name(run), f"{model} seed {seed}")
            _make(run, model, seed, store, target, decision)
        loop.Files(target.folder).checkpoint.unlink(missing_ok=True)  # a killed process can have left it there


def _compare(target: Cell, decision: Decision, now: str, name: str) -> None:
    """Say so if a training is resumed where it can come to other weights: sums depend on processor and threads."""
    before = target.record.get("device_name", now)
    if decision.action == "resume" and before != now:
        print(f"{name}: begun on {before}, goes on with {now}: not to the byte what it would be without interruption")


def _make(run: Run, model: str, seed: int, store: ImageStore, target: Cell, decision: Decision) -> None:
    network, files = build(run, model, store, seed), loop.Files(target.folder)
    try:
        with target.making(decision, device_name=_device_name(run)):
            if decision.action == "make":
                shutil.rmtree(live_folder(run, model, seed), ignore_errors=True)
            progress = _train(run, model, seed, network, store, files)
            facts = _facts(run, model, network, store, progress, files)
            target.finish(files.weights.name, files.log.name, **facts)
    except DivergedError as error:
        sentence = f"{model} seed {seed} diverged: {error}; lower training.learning_rate_factor"
        raise DivergedError(sentence) from None


def _facts(
    run: Run, model: str, network: ViewModel, store: ImageStore, progress: Progress, files: loop.Files
) -> dict[str, Any]:
    """Return what is recorded of a finished training."""
    return {
        "parameters": generator_parameters(network),
        "map": network.map,
        "images": progress.images,
        "auxiliary_images": len(store.subset("auxiliary")),
        "weights_hash": sha256(files.weights),
        "target": entry(run, model).target,
        "device_name": _device_name(run),
        **asdict(progress.costs),
    }


def _device_name(run: Run) -> str:
    return device_name(open_fabric(run.device, run.settings.training.precision).device)


def live_folder(run: Run, model: str, seed: int) -> Path:
    """Return the folder of the live logs: outside the cell, whose content is the same with and without them."""
    return run.folder / "tensorboard" / model / f"seed{seed}"


def _live_log(run: Run, model: str, seed: int, store: ImageStore) -> LiveLog:
    """Return the live log, whose samples are spread over the identities that are kept from training for choices."""
    rows = store.manifest["row"].to_numpy()[store.subset("validation")]
    places = np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).round().astype(np.int64)
    inputs = to_float(store.images[rows[places]])
    return LiveLog(live_folder(run, model, seed), inputs, run.settings.training.samples_every)


def _train(run: Run, model: str, seed: int, network: ViewModel, store: ImageStore, files: loop.Files) -> Progress:
    training = run.settings.training
    live = [_live_log(run, model, seed, store)] if training.tensorboard else []
    kind = CompilingFabric if training.compile else None
    fabric = open_fabric(run.device, training.precision, *live, kind=kind)
    rows = store.manifest.iloc[store.subset("auxiliary")]
    row, identity, view = (rows[c].to_numpy(np.int64) for c in ("row", "identity_label", "view_label"))
    batches = AuxiliaryBatches(store.images, row, identity, view, training.batch_size, fabric.device)
    paces = training.log_every, training.checkpoint_every
    schedule = loop.Schedule(training.images, *paces, (model, seed), training.average)
    try:
        with compilable():
            return loop.train(network, batches, fabric, schedule, files, f"{model} seed {seed}")
    finally:
        for logger in live:
            logger.finalize("")
