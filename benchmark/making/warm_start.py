"""Networks trained on real images before the training of the models that start from them.

Models that build the same network by the same code share one for each training seed. Validation and standard
identities have no part in it.
"""

import inspect
import math
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from benchmark.data.held_out import held_out_images
from benchmark.data.image_store import open_store
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError, DivergedError
from benchmark.files import replacing, write_text
from benchmark.making import building
from benchmark.run.artifacts import Artifact, Made
from benchmark.run.cells import sentence
from benchmark.seeding import seed_global
from benchmark.training import warm_up
from benchmark.training.sampling import AuxiliaryBatches
from models.interface import ModelSpec, ViewModel, WarmStart

if TYPE_CHECKING:
    from benchmark.run.workspace import Run

WEIGHTS, LOG = "network.safetensors", "log.csv"
HELD_OUT = 0.1  # share of each training identity's images that the accuracy is measured on


def of_model(run: "Run", model: str, seed: int) -> Artifact | None:
    """Return the warm start of a model, None if all its networks start untrained."""
    kind = building.load(run, model)
    own = getattr(kind.warm_start, "epochs", 0)  # whatever a plug-in has there
    if not kind.warm_start or not (own or run.settings.training.warm_up.steps):
        return None
    network = network_class(kind, _spec(run, identities=2))
    builder, module = (each.__module__.rpartition(".")[2] for each in (kind.warm_start_network, network))
    return Artifact("warm_start", f"{builder}-{module}.{network.__name__}", seed, of=model)


def needed(run: "Run", artifact: Artifact) -> list[Artifact]:
    """Return the warm start of a generator, where it has one."""
    found = of_model(run, artifact.name, artifact.seed)
    return [found] if found else []


def _spec(run: "Run", identities: int) -> ModelSpec:
    """Return what these networks are built for: what generators alone depend on has its default."""
    training = run.settings.training
    return ModelSpec(
        image_size=run.settings.data.image_size,
        views=len(run.settings.data.views),
        identities=identities,
        width=training.width,
        batch_size=training.batch_size,
        learning_rate_factor=training.learning_rate_factor,
        initialisation=training.initialisation,
    )


def network_class(kind: type[ViewModel], spec: ModelSpec) -> type[nn.Module]:
    """Return the class of the network of a model's warm start.

    Raises:
        BenchmarkError: the model has `warm_start`, but does not build a network that keeps the contract.
    """
    terms = kind.warm_start
    named = terms.network if isinstance(terms, WarmStart) else repr(terms)
    try:
        if not isinstance(terms, WarmStart):
            raise TypeError("warm_start is no WarmStart")
        network = kind.warm_start_network(spec)
        with torch.no_grad():
            logits = network(torch.zeros(2, 3, spec.image_size, spec.image_size))
        shapes = [None if part is None else tuple(part.shape) for part in logits[:2]]
        identity, view = shapes
        known = identity is None or (identity[0] == 2 and identity[-1] >= spec.identities)
        if identity == view or not known or view not in (None, (2, spec.views)):
            raise ValueError(f"for two images it returns logits of shapes {shapes}")
    except NotImplementedError:
        reason = "it has no class method warm_start_network"
    except Exception as error:  # a user's code can fail in any way
        reason = f"its class method warm_start_network does not keep the contract ({sentence(error)})"
    else:
        return type(network)
    raise BenchmarkError(
        f"{kind.__name__} names {named} in warm_start, but {reason}; it must return this network untrained, "
        "which gives a tuple that begins with logits of identities and of views; or leave warm_start out"
    )


def network_files(run: "Run", artifact: Artifact) -> list[Path]:
    """Return the files that hold the network and what builds it."""
    kind = building.load(run, artifact.of)
    network = network_class(kind, _spec(run, identities=2))
    return [Path(inspect.getfile(each)) for each in (network, kind.warm_start_network)]


def make(run: "Run", artifact: Artifact, folder: Path) -> Made:
    """Train a network, and keep the weights of the best evaluation on held-out images.

    Raises:
        DivergedError: the loss is not finite.
    """
    training, store = run.settings.training, open_store(run)
    fabric = open_fabric(run.device, training.precision)
    manifest = store.manifest.iloc[store.subset("auxiliary")]
    row, identity, view = (manifest[c].to_numpy(np.int64) for c in ("row", "identity_label", "view_label"))
    kept = held_out_images(manifest, HELD_OUT, "warm start", artifact.seed)
    seed_global("warm start", artifact.seed)
    spec = _spec(run, building.training_identities(store))
    kind = building.load(run, artifact.of)
    network, terms = kind.warm_start_network(spec), kind.warm_start or WarmStart("")
    epoch = math.ceil(np.count_nonzero(~kept) / training.batch_size)
    begin = perf_counter()
    try:
        found = warm_up.warm_up(
            network,
            AuxiliaryBatches(
                store.images, row[~kept], identity[~kept], view[~kept], training.batch_size, fabric.device
            ),
            warm_up.HeldOut(store.images, row[kept], identity[kept], view[kept]),
            fabric,
            artifact.place,
            terms=terms,
            steps=terms.epochs * epoch or training.warm_up.steps,
            epoch=epoch,
            view_weight=training.warm_up.view_weight,
            learning_rate_factor=training.learning_rate_factor,
        )
    except DivergedError as error:
        raise DivergedError(f"{artifact.place}: {error}; lower training.learning_rate_factor") from None
    best = warm_up.best(found)
    rates = {"identities": best.identity, "views": best.view}
    right = " and ".join(f"{rate:.1%} of {what}" for what, rate in rates.items() if not math.isnan(rate))
    print(f"{artifact.place}: {best.steps} steps; on held-out images of the training identities {right} are right")
    write_text(folder / LOG, pd.DataFrame(found).to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    with replacing(folder / WEIGHTS) as temporary:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, temporary)
    facts = {
        "steps": best.steps,
        "trained_steps": found[-1].steps,
        "seconds": round(perf_counter() - begin, 3),
        "identity": None if math.isnan(best.identity) else best.identity,
        "view": None if math.isnan(best.view) else best.view,
    }
    return Made((WEIGHTS, LOG), facts)
