"""Making what `frozen/` holds: cars are rendered, networks and generator trained on some, and the others stored.

The generator is not trained against a discriminator: it learns from the true picture of each car from each view, which
is quick, and gives images that depend on the input and on the view.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.config.settings import Data, Rendered
from benchmark.data import adapters, filtering, images, rendered, splitting
from benchmark.data.image_store import ImageStore
from benchmark.evaluation import generate
from benchmark.evaluation.oracle import render_targets
from benchmark.evaluation.resnet import FEATURES, augmentation, pooled_features
from benchmark.seeding import seed_global
from models.interface import NOISE, one_hot
from models.ours import Ours
from tests.golden import frozen
from tests.golden.networks import VIEWS, identity_network, view_network

CARS = Rendered(identities=118, scarce=0, images=(12, 14), size=48)
DATA = Data(image_size=frozen.SIZE, auxiliary=100, standard=18, rendered=CARS)
BATCH = 32
STEPS = 1500  # of the generator
FEATURE_WEIGHT = 0.3  # of the distance of features, beside that of pixels


def freeze(folder: Path) -> None:
    """Replace `folder`; the same machine makes the same bytes."""
    with tempfile.TemporaryDirectory() as temporary:
        root, made = Path(temporary) / "cars", Path(temporary) / "frozen"
        manifest = _cars(root)
        _store(manifest, "standard", root, made)
        store = _store(manifest, "auxiliary", root, root / "store")
        network = _fit_networks(store, made)
        _fit_generator(store, _every_view(store, root), network, made)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(made, folder)


def _cars(root: Path) -> pd.DataFrame:
    rendered.make(CARS, root)
    read = adapters.read(DATA, root).manifest
    return splitting.assign(filtering.keep(read, DATA)[0], DATA)[0]


def _store(manifest: pd.DataFrame, split: str, root: Path, folder: Path) -> ImageStore:
    """Write the images of a split into `folder`."""
    rows, squares = manifest[manifest["split"] == split], (DATA.image_size, DATA.margin)
    images.build(rows, root, *squares, folder, rejected_path=root / "rejected.csv")
    return ImageStore.open(folder)


def _every_view(store: ImageStore, root: Path) -> Tensor:
    """Return the true pictures of every image from every view, (N, 5, 3, S, S)."""
    positions = np.arange(len(store.manifest))
    images, squares = store.manifest["image"].tolist(), (DATA.image_size, DATA.margin)
    pictures = render_targets(root, images, DATA.views, *squares, seed=CARS.seed, size=CARS.size)
    answer = generate.stored(pictures, positions)
    return torch.stack([answer(positions, view) for view in range(VIEWS)], 1)


def _fit_networks(store: ImageStore, folder: Path) -> nn.Module:
    """Train and save both networks; return that of the identities."""
    identities, views = (torch.tensor(store.manifest[f"{name}_label"].to_numpy()) for name in ("identity", "view"))
    seed_global("golden networks")
    identity = identity_network(nn.Linear(FEATURES, int(identities.max()) + 1))
    view = view_network()
    _classify(identity, store, identities, epochs=40)
    _classify(view, store, views, epochs=20)
    identity.fc = nn.Identity()
    frozen.save(identity, folder, "identity")
    frozen.save(view, folder, "view")
    return identity


def _classify(network: nn.Module, store: ImageStore, labels: Tensor, epochs: int) -> None:
    every, augment = generate.inputs(store, np.arange(len(labels))), augmentation(frozen.SIZE)
    steps = epochs * (len(labels) // BATCH)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for _ in range(steps):
        chosen = torch.randint(len(labels), (BATCH,))
        logits = network(augment(every[chosen]))
        _descend(F.cross_entropy(logits, labels[chosen], label_smoothing=0.1), optimizer, scheduler)
    network.eval()


def _fit_generator(store: ImageStore, goals: Tensor, network: nn.Module, folder: Path) -> None:
    seed_global("golden generator")
    model, every = Ours(frozen.SPEC), generate.inputs(store, np.arange(len(goals)))
    optimizer = torch.optim.Adam(model.generator.parameters(), 4e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS)
    for _ in range(STEPS):
        chosen, view = torch.randint(len(goals), (BATCH,)), torch.randint(VIEWS, (BATCH,))
        made = model.generator(every[chosen], one_hot(view, VIEWS), torch.randn(BATCH, NOISE))
        goal = goals[chosen, view]
        apart = (pooled_features(network, made) - pooled_features(network, goal)).abs().mean()
        _descend((made - goal).abs().mean() + FEATURE_WEIGHT * apart, optimizer, scheduler)
    frozen.save(model, folder, "generator")


def _descend(loss: Tensor, optimizer: torch.optim.Optimizer, scheduler: torch.optim.lr_scheduler.LRScheduler) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    scheduler.step()
