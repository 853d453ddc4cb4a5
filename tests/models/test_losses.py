"""Eq. 6 and 7 and the losses of DR-GAN, written out with numpy."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from models.dr_gan import DRGAN, sigmoid_discriminator_loss, sigmoid_generator_loss
from models.identity_view_gan import discriminator_loss, generator_loss
from tests.tools import RandomBatches, spec

IDENTITIES, VIEWS, COUNT = 6, 3, 5


def logits(seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    shapes = (COUNT, IDENTITIES + 1), (COUNT, VIEWS)
    return tuple(3 * torch.randn(*shape, generator=random) for shape in shapes)  # type: ignore[return-value]


def mean_log_probability(of: Tensor, labels: list[int]) -> float:
    """Mean over the batch of log D_label, with D the softmax of the logits."""
    values: NDArray[np.float64] = np.exp(of.double().numpy())
    return float(np.mean([np.log(row[label] / row.sum()) for row, label in zip(values, labels, strict=True)]))


@pytest.mark.parametrize("weight", [1.0, 5.0])
def test_discriminator_loss(weight: float) -> None:
    real, fake, identity, view = logits(0), logits(1), [0, 5, 2, 2, 1], [2, 0, 1, 1, 0]
    value = (
        mean_log_probability(real[0], identity)
        + mean_log_probability(fake[0], [IDENTITIES] * COUNT)
        + weight * mean_log_probability(real[1], view)
    )
    loss = discriminator_loss(real, fake, torch.tensor(identity), torch.tensor(view), weight)
    assert loss.item() == pytest.approx(-value, rel=1e-5)


@pytest.mark.parametrize("weight", [1.0, 5.0])
def test_generator_loss(weight: float) -> None:
    fake, identity, target = logits(2), [3, 0, 0, 5, 4], [1, 2, 0, 0, 2]
    value = mean_log_probability(fake[0], identity) + weight * mean_log_probability(fake[1], target)
    loss = generator_loss(fake, torch.tensor(identity), torch.tensor(target), weight)
    assert loss.item() == pytest.approx(-value, rel=1e-5)


def test_the_discriminator_never_learns_views_from_generated_images() -> None:
    real, fake = logits(3), logits(4)
    label = torch.zeros(COUNT, dtype=torch.int64)
    other = (fake[0], fake[1] + torch.randn(COUNT, VIEWS))
    assert discriminator_loss(real, fake, label, label, 5.0) == discriminator_loss(real, other, label, label, 5.0)


def log_sigmoid(of: Tensor) -> float:
    """Mean over the batch of log s(x), with s the logistic function."""
    return float(np.mean(-np.log1p(np.exp(-of.double().numpy()))))


def with_realness(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    identity, view = logits(seed)
    return identity, view, 2 * torch.randn(COUNT, 1, generator=torch.Generator().manual_seed(seed))


def test_sigmoid_discriminator_loss() -> None:
    real, fake, identity, view = with_realness(5), with_realness(6), [0, 5, 2, 2, 1], [2, 0, 1, 1, 0]
    value = (
        mean_log_probability(real[0], identity)
        + mean_log_probability(real[1], view)
        + log_sigmoid(real[2])
        + log_sigmoid(-fake[2])
    )
    loss = sigmoid_discriminator_loss(real, fake, torch.tensor(identity), torch.tensor(view))
    assert loss.item() == pytest.approx(-value, rel=1e-5)


def test_sigmoid_generator_loss() -> None:
    fake, identity, target = with_realness(7), [3, 0, 0, 5, 4], [1, 2, 0, 0, 2]
    value = mean_log_probability(fake[0], identity) + mean_log_probability(fake[1], target) + log_sigmoid(fake[2])
    loss = sigmoid_generator_loss(fake, torch.tensor(identity), torch.tensor(target))
    assert loss.item() == pytest.approx(-value, rel=1e-5)


def test_dr_gan_weighs_all_terms_the_same() -> None:
    model = DRGAN(spec(attribute_weight=5.0))
    fake, identity, target = logits(8), torch.tensor([3, 0, 0, 5, 4]), torch.tensor([1, 2, 0, 0, 2])
    assert model.generator_loss(fake, identity, target) == generator_loss(fake, identity, target, 1.0)


def test_dr_gan_trains_the_generator_more_often_later(fabric: Fabric) -> None:
    model, batches = DRGAN(spec()), RandomBatches(spec())
    model.setup(fabric)
    for progress, steps in ((0.0, 1), (0.19, 1), (0.2, 4), (0.99, 4)):
        before = batches.drawn
        assert model.cycle(batches, fabric, progress).images == steps * spec().batch_size
        assert batches.drawn - before == 1 + steps
