"""The warm-up of a network: it learns, keeps its best weights, and ends when it no longer gets better."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.environment import open_fabric
from benchmark.errors import DivergedError
from benchmark.seeding import rng, seed_global
from benchmark.training import warm_up
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.training.warm_up import Evaluation, HeldOut
from models.identity_view_gan import IdentityViewGAN
from models.interface import ModelSpec, WarmStart

CPU = torch.device("cpu")
SPEC = ModelSpec(16, views=2, identities=3, width=0.125, initialisation="fan_in")
TERMS = WarmStart("discriminator", learning_rate=1e-4, betas=(0.4, 0.99))
RECIPE = {"terms": TERMS, "steps": 60, "epoch": 3, "view_weight": 1.0, "learning_rate_factor": 10.0}

random = rng("images of the warm-up")
IDENTITY, VIEW = np.repeat(np.arange(3), 8), np.tile(np.arange(2), 12)
IMAGES = random.integers(0, 40, (24, 16, 16, 3)).astype(np.uint8)
IMAGES[np.arange(24), :, :, IDENTITY] += 150  # the identity is a colour
IMAGES[VIEW == 1, :8] //= 2  # the view is where it is dark
TRAINED, KEPT = np.arange(24) % 4 != 3, np.arange(24) % 4 == 3


def batches() -> AuxiliaryBatches:
    return AuxiliaryBatches(IMAGES, np.flatnonzero(TRAINED), IDENTITY[TRAINED], VIEW[TRAINED], 8, CPU)


HELD_OUT = HeldOut(IMAGES, np.flatnonzero(KEPT), IDENTITY[KEPT], VIEW[KEPT])


def discriminator() -> nn.Module:
    seed_global("warm-up")
    return IdentityViewGAN.warm_start_network(SPEC)


def trained(**changes: Any) -> tuple[nn.Module, list[Evaluation]]:
    network = discriminator()
    return network, warm_up.warm_up(network, batches(), HELD_OUT, open_fabric("cpu"), **{**RECIPE, **changes})


def test_it_tells_identities_and_views_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "EVALUATE_EVERY", 20)
    network, made = trained()
    assert [each.steps for each in made] == [20, 40, 60]
    assert made[-1].identity > 0.8
    assert made[-1].view > 0.8
    assert network.training


def test_it_is_plain_training_with_adam() -> None:
    """Compared with the loop written out."""
    network, _ = trained(steps=3, view_weight=0.2)
    other = discriminator().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(other.parameters(), 1e-3, betas=(0.4, 0.99), fused=True)
    source = batches()
    for _ in range(3):
        batch = source.draw()
        identity, view = other(batch.image)
        loss = F.cross_entropy(identity, batch.identity) + 0.2 * F.cross_entropy(view, batch.view)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    for key, value in other.state_dict().items():
        assert torch.equal(value, network.state_dict()[key]), key


def test_it_ends_when_the_accuracy_no_longer_rises_and_keeps_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "EVALUATE_EVERY", 5)
    accuracies, states = iter([0.2, 0.6, 0.5, 0.6, 0.9]), []

    def evaluate(network: nn.Module, *_: object) -> Evaluation:
        states.append({key: value.clone() for key, value in network.state_dict().items()})
        return Evaluation(5 * len(states), next(accuracies), 1.0)

    monkeypatch.setattr(warm_up, "_evaluate", evaluate)
    network, made = trained()
    assert [found.steps for found in made] == [5, 10, 15, 20]
    for key, value in network.state_dict().items():
        assert torch.equal(value, states[1][key]), key


def test_an_evaluation_counts_each_held_out_image_once_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "PART", 4)

    class Always(nn.Module):
        """Says identity 1 and view 0 to everything."""

        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            assert not self.training
            one = torch.ones(len(images), 1)
            return torch.cat([0 * one, one, 0 * one], 1), torch.cat([one, 0 * one], 1)

    found = warm_up._evaluate(Always(), HELD_OUT, CPU, 7)
    assert found == Evaluation(7, pytest.approx((IDENTITY[KEPT] == 1).mean()), pytest.approx((VIEW[KEPT] == 0).mean()))


def test_a_loss_that_is_not_finite_ends_it() -> None:
    with pytest.raises(DivergedError, match="warm-up"):
        trained(learning_rate_factor=1e30, steps=20)
