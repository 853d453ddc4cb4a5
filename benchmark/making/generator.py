"""Training a model with a seed."""

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from benchmark.data.image_store import open_store
from benchmark.data.pixels import to_float
from benchmark.environment import device_name, open_fabric
from benchmark.errors import BenchmarkError, DivergedError, is_of_memory
from benchmark.files import check_access
from benchmark.making import building
from benchmark.run import artifacts
from benchmark.run.artifacts import Artifact, Made
from benchmark.seeding import rng
from benchmark.training import loop
from benchmark.training.compiling import CompilingFabric, compilable
from benchmark.training.live import LiveLog
from benchmark.training.sampling import AuxiliaryBatches
from models.capacity import generator_parameters
from models.interface import NOISE, one_hot

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.data.image_store import ImageStore
    from benchmark.run.workspace import Run
    from models.interface import ViewModel

SAMPLES = 4  # inputs in a sample grid of the live logs
DIAGNOSED = 64  # images on which a model is diagnosed


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Train the model, from a checkpoint if the folder has one.

    Raises:
        InterruptedRun: the user asked to stop; the state is saved.
        BenchmarkError: a loss is not finite, or the model and its warm start do not fit.
    """
    model, seed, training = artifact.name, artifact.seed, run.settings.training
    store, cell = open_store(run), artifact.cell(run)
    files = loop.Files(folder, cell.check_owner)
    network = building.build(run, model, store, seed)
    steps = _warm_start(run, artifact, network)
    live = run.folder / "tensorboard" / model / f"seed{seed}"  # outside the folder, whose content is the same without
    if not files.checkpoint.exists():
        shutil.rmtree(live, ignore_errors=True)
    loggers = [_live_log(run, store, live)] if training.tensorboard else []
    kind = CompilingFabric if training.compile else None
    fabric = open_fabric(run.device, training.precision, *loggers, kind=kind)
    device = device_name(fabric.device)
    begun_on = cell.record.get("device_name", device)
    if begun_on != device:  # sums depend on processor and threads
        print(f"{artifact.place}: begun on {begun_on}, resumed with {device}: not to the byte what it would be")
    cell.note(device_name=device)
    rows = store.manifest.iloc[store.subset("auxiliary")]
    row, identity, view = (rows[c].to_numpy(np.int64) for c in ("row", "identity_label", "view_label"))
    capture = np.unique(rows["capture"], return_inverse=True)[1]
    batches = AuxiliaryBatches(store.images, row, identity, view, training.batch_size, fabric.device, capture)
    schedule = loop.Schedule(
        training.images, training.log_every, training.checkpoint_minutes * 60, (model, seed), training.average
    )
    try:
        with compilable():
            progress = loop.train(network, batches, fabric, schedule, files, f"{model} seed {seed}")
    except DivergedError as error:
        text = f"{model} seed {seed} diverged: {error}; lower training.learning_rate_factor"
        raise DivergedError(text) from None
    finally:
        for logger in loggers:
            logger.finalize("")
    facts = {
        "spec": asdict(network.spec),
        "parameters": generator_parameters(network),
        "map": network.map,
        "images": progress.images,
        "auxiliary_images": len(rows),
        "warm_up_steps": steps,
        "target": artifacts.entry(run, model).target,
        "device_name": device,
        "diagnostics": _diagnostics(network, store),
        **asdict(progress.costs),
    }
    return Made((files.weights.name, files.log.name), facts)


def _diagnostics(network: "ViewModel", store: "ImageStore") -> dict[str, float]:
    """Return what the model says of itself, on identities kept from training, or else on those trained on."""
    kept = store.subset("validation")
    positions = kept if len(kept) else store.subset("auxiliary")
    turn = store.manifest.iloc[positions].groupby("identity").cumcount()
    shown = positions[np.argsort(turn, kind="stable")][:DIAGNOSED]  # the first image of each identity, then the second
    views = network.spec.views
    codes = one_hot(torch.arange(len(shown)) % views, views)
    noise = torch.from_numpy(rng("diagnosis").standard_normal((len(shown), NOISE), np.float32))
    device = next(network.parameters()).device
    network.eval()
    with torch.no_grad():
        found = network.diagnose(to_float(store.at(shown)).to(device), codes.to(device), noise.to(device))
    return {name: round(float(value), 6) for name, value in found.items()}


def _warm_start(run: "Run", artifact: Artifact, network: "ViewModel") -> int:
    """Give the model the trained weights of its warm start, where it has one; return the steps of that training.

    Raises:
        BenchmarkError: the file is damaged, or the network has another shape.
    """
    name = network.warm_start.network if network.warm_start else ""
    if name and not isinstance(getattr(network, name, None), nn.Module):
        raise BenchmarkError(f"the model {artifact.name} names {name} in warm_start, but has no such network")
    for each in artifacts.inputs(run, artifact):
        cell, file = each.cell(run), each.row.content[0]
        try:
            getattr(network, name).load_state_dict(load_file(cell.folder / file))
        except Exception as error:  # safetensors and torch report damage by several types
            if is_of_memory(error):
                raise
            check_access(error, cell.folder / file)
            reason = " ".join(str(error).split())[:200]
            raise BenchmarkError(
                f"{cell.folder / file} does not fit the network {name} of this model ({reason}); `warm_start_network` "
                "and `__init__` must build the same network; if they do, the file is damaged: delete "
                f"{cell.folder} and run again"
            ) from error
        return int(cell.record["steps"])
    return 0


def _live_log(run: "Run", store: "ImageStore", folder: "Path") -> LiveLog:
    """Return the live log; its samples are spread over identities kept from training, or else those trained on."""
    kept = store.subset("validation")
    positions = kept if len(kept) else store.subset("auxiliary")
    positions = positions[np.linspace(0, len(positions) - 1, min(SAMPLES, len(positions))).round().astype(np.int64)]
    return LiveLog(folder, to_float(store.at(positions)), positions, run.settings.training.samples_every)
