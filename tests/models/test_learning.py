"""The models learn: in seconds the own objective falls, and an independent network sees the target view.

Rendered cars: a handful of identities train the models, others train a ResNet18 that judges the view. Each model trains
until the average of its weights passes its bounds, or fails after so many batches; most pass after 100 to 350.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.config import settings
from benchmark.config.settings import override
from benchmark.data.image_store import ImageStore, open_store
from benchmark.environment import open_fabric
from benchmark.evaluation import extractor, generate
from benchmark.evaluation.extractor import Labelled
from benchmark.run.workspace import Run
from benchmark.seeding import seed_global
from benchmark.stages.data import prepare_data
from benchmark.training.average import Average
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.training.warm_up import HeldOut, warm_up
from models.capacity import sized
from models.interface import ModelSpec, ViewModel, WarmStart
from models.registry import BUILT_IN, find
from tests.tools import PROJECT

CARS = {
    "data.auxiliary": 8,
    "data.standard": 16,
    "data.rendered": {"identities": 24, "scarce": 0, "images": [20, 24], "size": 40, "seed": 0},
    "evaluation.nc": [5],
}
CPU = torch.device("cpu")


BATCH, EVERY, LONGEST = 16, 50, 800  # images in a batch; batches between two evaluations, and the most of them
AVERAGE = 0.98  # decay of the averaged weights, which are what is looked at


@dataclass(frozen=True)
class Bound:
    """The bound that a model must reach before it has used LONGEST batches.

    Attributes:
        loss: the objective.
        falls: the factor between its mean over the first and over the last twenty cycles.
        view: share of generated images whose view is recognised. Chance is 0.2, and exactly that for any generator that
            ignores the view.
        rate: multiplies the published learning rates.
    """

    loss: str = "generator"
    falls: float = 1.5
    view: float = 0.4
    rate: float = 5.0


BOUNDS = {
    **dict.fromkeys(("unet", "vanilla_deform", "global_nc28", "cnc28_im"), Bound()),
    "dr_gan_sigmoid": Bound("discriminator", falls=1.3, view=0.3, rate=10.0),
    "cr_gan": Bound("discriminator", rate=10.0),
    **dict.fromkeys(("two_step", "two_step_roles"), Bound("reconstruction", falls=2.0)),
}
ELSEWHERE = {  # where all that is trained of them learns
    "ours": "tests/learning",
    "vanilla": "vanilla_deform",
    "global_nc56": "global_nc28",
    "cnc56": "cnc28_im",
    "cnc28": "cnc28_im",
    "unet_noaim": "unet and vanilla_deform",
    **dict.fromkeys(("dr_gan", "dr_gan_even", "dr_gan_lambda", "dr_gan_noise128"), "dr_gan_sigmoid, and ours"),
    "two_step_exemplar": "two_step",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageStore]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("learning"))
        run = Run(override(settings.profile("smoke", PROJECT / "params.yaml"), CARS), Path("runs"), Path("results"))
        prepare_data(run)
        yield open_store(run)


@pytest.fixture(scope="module")
def judge(store: ImageStore) -> nn.Module:
    """A network that tells the views of cars that no model is trained on."""
    known, others = (
        Labelled(rows["row"].to_numpy(np.int64), rows["view_label"].to_numpy(np.int64), np.ones(len(rows), np.float32))
        for rows in (store.manifest.iloc[store.subset(part)] for part in ("standard", "auxiliary"))
    )
    recipe = {"epochs": 15, "batch_size": 32, "learning_rate": 0.05}
    resnet, _ = extractor.fit(store.images, known, others, 5, CPU, "views", stem="stock", **recipe)
    share = extractor.mean_recall(extractor.recalls(resnet, store.images, others, 5, CPU))
    assert share > 0.7
    return resnet


class Learning:
    """A model in training, and what it has reached."""

    def __init__(self, name: str, store: ImageStore, bound: Bound) -> None:
        kind = find(name).load()
        rows = store.manifest.iloc[store.subset("auxiliary")]
        images, identity, view = (rows[c].to_numpy(np.int64) for c in ("row", "identity_label", "view_label"))
        common = ModelSpec(32, 5, int(identity.max()) + 1, 0.125, BATCH, refresh_batches=20)
        spec = replace(sized(kind, common), learning_rate_factor=bound.rate)
        self.store, self.bound, self.fabric = store, bound, open_fabric("cpu")
        self.batches = AuxiliaryBatches(store.images, images, identity, view, BATCH, CPU)
        seed_global("learning", name)
        self.model: ViewModel = kind(spec).to(memory_format=torch.channels_last)
        self.model.setup(self.fabric)
        self.average = Average(self.model, AVERAGE, BATCH)
        if self.model.warm_start and self.model.warm_start.epochs:
            self._warm_up(self.model.warm_start)
        self.objective: list[float] = []
        self.used = 0

    def _warm_up(self, terms: WarmStart) -> None:
        """Train the network of the warm start for a few steps, without an evaluation on held-out images that counts."""
        network, held_out = getattr(self.model, terms.network), HeldOut(self.store.images, *3 * [np.zeros(1, np.int64)])
        weights = {"view_weight": 1.0, "learning_rate_factor": self.bound.rate}
        warm_up(network, self.batches, held_out, self.fabric, terms=terms, steps=150, epoch=150, **weights)

    def go(self, batches: int) -> None:
        """Train until so many batches in all are used."""
        self.model.train()
        while self.used < batches * BATCH:
            report = self.model.cycle(self.batches, self.fabric, self.used / (LONGEST * BATCH))
            self.used += report.images
            self.average.update(self.model, report.images, self.used)
            self.objective += [float(report.losses[self.bound.loss])] if self.bound.loss in report.losses else []

    @property
    def fell(self) -> float:
        """By what factor the objective fell so far."""
        return float(np.mean(self.objective[:20]) / np.mean(self.objective[-20:]))

    def views(self, judge: nn.Module) -> float:
        """Return the share of generated images whose target view is seen, over all training images and views."""
        state = deepcopy(self.model.state_dict())
        self.average.put_into(self.model)
        self.model.finish(self.batches)
        answer = generate.trained(self.model, self.store)
        positions = np.flatnonzero(self.store.manifest["split"] == "auxiliary")
        with torch.no_grad():
            turned = torch.stack([judge(answer(positions, view)).argmax(1) == view for view in range(5)])
        self.model.load_state_dict(state)
        return float(turned.float().mean())


def test_every_model_has_a_bound_or_learns_elsewhere() -> None:
    assert sorted([*BOUNDS, *ELSEWHERE]) == sorted(BUILT_IN)


@pytest.mark.parametrize("name", ["cnc28_im", "cr_gan", "two_step"])
def test_an_untrained_model_does_not_turn(name: str, store: ImageStore, judge: nn.Module) -> None:
    assert Learning(name, store, BOUNDS[name]).views(judge) < 0.3


@pytest.mark.parametrize("name", BOUNDS)
def test_the_objective_falls_and_the_car_turns(name: str, store: ImageStore, judge: nn.Module) -> None:
    bound, reached = BOUNDS[name], []
    learning = Learning(name, store, bound)
    for batches in range(2 * EVERY, LONGEST + 1, EVERY):
        learning.go(batches)
        if learning.objective:
            reached.append((batches, learning.fell, learning.views(judge)))
            if learning.fell > bound.falls and reached[-1][2] > bound.view:
                break
    else:
        pytest.fail(f"batches, fall of the objective {bound.loss}, and views: {reached}")
    print(f"{name} after {batches} batches: {bound.loss} fell by {reached[-1][1]:.1f}, view {reached[-1][2]:.2f}")
