"""Training one model with one seed: the stage train."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from benchmark import sources
from benchmark.cells import Cell, Decision
from benchmark.data.images import ImageStore
from benchmark.environment import device_name, open_fabric, versions
from benchmark.errors import BenchmarkError, DivergedError
from benchmark.evaluation.generate import inputs
from benchmark.files import sha256
from benchmark.stages import building, warm_start
from benchmark.stages.building import build, entry, training_identities
from benchmark.stages.data import open_store
from benchmark.training import loop
from benchmark.training.checkpoint import Progress
from benchmark.training.compiling import CompilingFabric, compilable
from benchmark.training.live import LiveLog
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.workspace import Run
from models.capacity import generator_parameters
from models.interface import ViewModel

MODULES = ("loop", "sampling", "compiling")
TRAINING = tuple(f"benchmark.training.{module}" for module in MODULES)  # what can change a model's weights
SAMPLES = 4  # inputs in a sample grid of the live logs


def cell(run: Run, model: str, seed: int, store: ImageStore, device: str) -> Cell:
    """Return the cell of one trained model."""
    found = entry(run, model)
    built_for = building.own_spec(run, building.load(run, model), training_identities(store))
    files = [*sources.closure(*TRAINING, *found.sources), Path(__file__), Path(building.__file__)]
    warm = warm_start.cell(run, model, seed, store, device)
    fingerprint = {
        "spec": asdict(built_for),
        "precision": run.settings.training.precision,
        "threads": run.settings.threads,
        "compile": run.settings.training.compile,
        "average": run.settings.training.average,
        "warm_start": warm.fingerprint if warm else None,
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
    if network.warm_start and not isinstance(getattr(network, network.warm_start, None), nn.Module):
        raise BenchmarkError(f"the model {model} names {network.warm_start} in warm_start, but has no such network")
    warm_start.make(run, model, seed)
    warm = warm_start.cell(run, model, seed, store, open_fabric(run.device).device.type)
    if warm:
        warm_start.load_into(getattr(network, network.warm_start), warm)
    try:
        with target.making(decision, device_name=_device_name(run)):
            if decision.action == "make":
                shutil.rmtree(live_folder(run, model, seed), ignore_errors=True)
            progress = _train(run, model, seed, network, store, files)
            facts = _facts(run, model, network, store, progress, files)
            steps = warm.record["steps"] if warm else 0
            target.finish(files.weights.name, files.log.name, warm_up_steps=steps, **facts)
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
    positions = store.subset("validation")
    chosen = positions[np.linspace(0, len(positions) - 1, min(SAMPLES, len(positions))).round().astype(np.int64)]
    every = run.settings.training.samples_every
    return LiveLog(live_folder(run, model, seed), inputs(store, chosen), chosen, every)


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
