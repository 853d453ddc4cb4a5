"""Warm starts: discriminators trained on real images before adversarial training begins; the stage warm_start.

Models that build the same discriminator by the same code share one for each training seed. Validation and standard
identities have no part in it.
"""

import inspect
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmark import sources
from benchmark.cells import Cell, sentence
from benchmark.data.images import ImageStore
from benchmark.data.splitting import held_out
from benchmark.environment import open_fabric, versions
from benchmark.errors import BenchmarkError, DivergedError
from benchmark.files import replacing, sha256
from benchmark.seeding import seed_global
from benchmark.stages import building
from benchmark.stages.data import open_store
from benchmark.training import warm_up
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.workspace import Run
from models.interface import ModelSpec, ViewModel

WEIGHTS, LOG = "discriminator.safetensors", "log.csv"
HELD_OUT = 0.1  # share of each training identity's images that the accuracy is measured on
# fields of the spec that a discriminator does not depend on
OTHERS = {"images", "generator_steps", "attribute_weight", "refresh_batches", "noise"}


def networks(run: Run) -> dict[str, str]:
    """Return the discriminators that the run's models start from, each with one of the models that have it."""
    found, spec = {}, building.spec(run, identities=2)
    for model in reversed(run.settings.models):
        kind = building.load(run, model)
        if has_warm_start(run, kind):
            found[name(kind, network_class(kind, spec))] = model
    return found


def has_warm_start(run: Run, kind: type[ViewModel]) -> bool:
    """Whether the settings ask for a warm start and models of this kind can have one."""
    return bool(run.settings.training.warm_up.steps and kind.warm_start)


def network_class(kind: type[ViewModel], spec: ModelSpec) -> type[nn.Module]:
    """Return the class of a model's discriminator.

    Raises:
        BenchmarkError: the model names one in `warm_start`, but does not build one that keeps the contract.
    """
    try:
        network = kind.discriminator(spec)
        with torch.no_grad():
            logits = network(torch.zeros(2, 3, spec.image_size, spec.image_size))
        shapes = [tuple(part.shape) for part in logits[:2]]
        if shapes[0][0] != 2 or shapes[0][-1] < spec.identities or shapes[1] != (2, spec.views):
            raise ValueError(f"for two images it returns logits of shapes {shapes}")
    except NotImplementedError:
        reason = "it has no class method discriminator"
    except Exception as error:  # a user's code can fail in any way
        reason = f"its class method discriminator does not keep the contract ({sentence(error)})"
    else:
        return type(network)
    raise BenchmarkError(
        f"{kind.__name__} names {kind.warm_start} in warm_start, but {reason}; it must return this network untrained, "
        "which gives a tuple that begins with logits of identities and of views; or leave warm_start out"
    )


def name(kind: type[ViewModel], network: type[nn.Module]) -> str:
    """Return the name of a discriminator: the module that builds it, its own, and its class."""
    builder, module = (each.__module__.rpartition(".")[2] for each in (kind.discriminator, network))
    return f"{builder}-{module}.{network.__name__}"


def cell(run: Run, model: str, seed: int, store: ImageStore, device: str) -> Cell | None:
    """Return the cell of the discriminator that a model starts from, None if it starts from an untrained one."""
    kind = building.load(run, model)
    if not has_warm_start(run, kind):
        return None
    spec = building.spec(run, building.training_identities(store))
    network = network_class(kind, spec)
    made_in = [Path(inspect.getfile(each)) for each in (network, kind.discriminator)]
    files = [Path(__file__), Path(building.__file__), *sources.closure("benchmark.training.warm_up", *made_in)]
    fingerprint = {
        "network": network.__qualname__,
        "spec": {key: value for key, value in asdict(spec).items() if key not in OTHERS},
        "settings": run.settings.training.warm_up.model_dump(mode="json"),
        "precision": run.settings.training.precision,
        "threads": run.settings.threads,
        "data_hash": store.content_hash,
        "seed": seed,
        "sources": sources.hashes(sorted(set(files))),
        "versions": versions(),
        "device": device,
    }
    return Cell(run.folder / "warm_starts" / name(kind, network) / f"seed{seed}", fingerprint)


def make(run: Run, model: str, seed: int, wait: bool = True) -> None:
    """Train the discriminator that a model starts from, unless that is done or it starts from an untrained one.

    Raises:
        BenchmarkError: the loss is not finite.
        Timeout: another process trains the same, and `wait` is false.
    """
    store = open_store(run)
    fabric = open_fabric(run.device, run.settings.training.precision)
    target = cell(run, model, seed, store, fabric.device.type)
    if target is None:
        return
    title = target.folder.relative_to(run.folder).as_posix()
    with run.lock(title, wait):
        decision = target.decide()
        if decision.action == "skip":
            return
        print(f"{title}: {decision.action} ({decision.reason})")
        with target.making(decision):
            try:
                _make(run, model, seed, store, target)
            except DivergedError as error:
                raise DivergedError(f"{title}: {error}; lower training.learning_rate_factor") from None
    record = target.record
    print(
        f"{title}: {record['steps']} steps; on held-out images of the training identities {record['identity']:.1%} of "
        f"identities and {record['view']:.1%} of views are right"
    )


def _make(run: Run, model: str, seed: int, store: ImageStore, target: Cell) -> None:
    training = run.settings.training
    fabric = open_fabric(run.device, training.precision)
    manifest = store.manifest.iloc[store.subset("auxiliary")]
    row, identity, view = (manifest[c].to_numpy(np.int64) for c in ("row", "identity_label", "view_label"))
    kept = held_out(manifest, HELD_OUT, "warm start", seed)
    seed_global("warm start", seed)
    network = building.load(run, model).discriminator(building.spec(run, building.training_identities(store)))
    looks = warm_up.warm_up(
        network,
        AuxiliaryBatches(store.images, row[~kept], identity[~kept], view[~kept], training.batch_size, fabric.device),
        warm_up.HeldOut(store.images, row[kept], identity[kept], view[kept]),
        warm_up.Recipe(training.warm_up.steps, training.warm_up.view_weight, training.learning_rate_factor),
        fabric,
    )
    best = warm_up.best(looks)
    log = pd.DataFrame(looks).to_csv(index=False, float_format="%.6f", lineterminator="\n")
    with replacing(target.folder / LOG) as temporary:
        temporary.write_text(log, encoding="utf-8")
    with replacing(target.folder / WEIGHTS) as temporary:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, temporary)
    target.finish(
        WEIGHTS,
        LOG,
        steps=best.steps,
        trained_steps=looks[-1].steps,
        identity=best.identity,
        view=best.view,
        weights_hash=sha256(target.folder / WEIGHTS),
    )


def load_into(network: nn.Module, made: Cell) -> None:
    """Give a discriminator the weights of a finished warm start.

    Raises:
        BenchmarkError: the file is damaged, or the network has another shape.
    """
    path = made.folder / WEIGHTS
    try:
        network.load_state_dict(load_file(path))
    except Exception as error:  # safetensors and torch report damage by several types
        reason = " ".join(str(error).split())[:200]
        raise BenchmarkError(
            f"{path} does not fit this model's discriminator ({reason}); `discriminator` and `__init__` must build the "
            f"same network; if they do, the file is damaged: delete {made.folder} and run again"
        ) from error


def make_all(run: Run) -> None:
    """Make every warm start that the run's models and seeds need."""
    (run.folder / "warm_starts").mkdir(parents=True, exist_ok=True)
    for model in networks(run).values():
        for seed in range(run.settings.seeds):
            make(run, model, seed)
