"""Discriminators trained on real images before adversarial training begins.

Models that build the same discriminator by the same code share one for each training seed. Validation and standard
identities have no part in it.
"""

import inspect
from pathlib import Path
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
from models.interface import ModelSpec, ViewModel

if TYPE_CHECKING:
    from benchmark.run.workspace import Run

WEIGHTS, LOG = "discriminator.safetensors", "log.csv"
HELD_OUT = 0.1  # share of each training identity's images that the accuracy is measured on


def of_model(run: "Run", model: str, seed: int) -> Artifact | None:
    """Return the discriminator that a model starts from, None if it starts from an untrained one."""
    kind = building.load(run, model)
    if not run.settings.training.warm_up.steps or not kind.warm_start:
        return None
    network = network_class(kind, _spec(run, identities=2))
    builder, module = (each.__module__.rpartition(".")[2] for each in (kind.discriminator, network))
    return Artifact("discriminator", f"{builder}-{module}.{network.__name__}", seed, of=model)


def needed(run: "Run", artifact: Artifact) -> list[Artifact]:
    """Return the discriminator that a generator starts from, where it starts from a trained one."""
    found = of_model(run, artifact.name, artifact.seed)
    return [found] if found else []


def _spec(run: "Run", identities: int) -> ModelSpec:
    """Return what discriminators are built for: what generators alone depend on has its default."""
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


def network_files(run: "Run", artifact: Artifact) -> list[Path]:
    """Return the files that hold the network and what builds it."""
    kind = building.load(run, artifact.of)
    network = network_class(kind, _spec(run, identities=2))
    return [Path(inspect.getfile(each)) for each in (network, kind.discriminator)]


def make(run: "Run", artifact: Artifact, folder: Path) -> Made:
    """Train a discriminator, and keep the weights of the best look at held-out images.

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
    network = building.load(run, artifact.of).discriminator(spec)
    try:
        looks = warm_up.warm_up(
            network,
            AuxiliaryBatches(
                store.images, row[~kept], identity[~kept], view[~kept], training.batch_size, fabric.device
            ),
            warm_up.HeldOut(store.images, row[kept], identity[kept], view[kept]),
            fabric,
            steps=training.warm_up.steps,
            view_weight=training.warm_up.view_weight,
            learning_rate_factor=training.learning_rate_factor,
        )
    except DivergedError as error:
        raise DivergedError(f"{artifact.place}: {error}; lower training.learning_rate_factor") from None
    best = warm_up.best(looks)
    print(
        f"{artifact.place}: {best.steps} steps; on held-out images of the training identities {best.identity:.1%} of "
        f"identities and {best.view:.1%} of views are right"
    )
    write_text(folder / LOG, pd.DataFrame(looks).to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    with replacing(folder / WEIGHTS) as temporary:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, temporary)
    facts = {"steps": best.steps, "trained_steps": looks[-1].steps, "identity": best.identity, "view": best.view}
    return Made((WEIGHTS, LOG), facts)
