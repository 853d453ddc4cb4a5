"""Operations of a training cycle against sums made by hand."""

import pytest
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import nn
from torchvision.ops import DeformConv2d

from models.registry import find
from tests.tools import RandomBatches, spec
from tools.speed.training import count

CONVOLUTION = (
    2 * 2 * 10 * 8 * 9 * 4 * 6
)  # two for each image, output position, element of the kernel and pair of channels


@pytest.mark.parametrize(("inputs", "times"), [(False, 2), (True, 3)])  # forward, the weights' and the input's gradient
def test_a_convolution_and_its_gradients(inputs: bool, times: int) -> None:
    layer, image = nn.Conv2d(4, 6, 3, padding=1), torch.zeros(2, 4, 10, 8, requires_grad=inputs)
    assert count(lambda: layer(image).sum().backward()) == times * CONVOLUTION


def test_a_dense_layer_and_its_gradients() -> None:
    layer, feature = nn.Linear(5, 7), torch.zeros(3, 5, requires_grad=True)
    assert count(lambda: layer(feature).sum().backward()) == 3 * 2 * 3 * 5 * 7


def test_a_deformable_convolution_counts_as_a_plain_one() -> None:
    layer, image = DeformConv2d(4, 6, 3, padding=1), torch.zeros(2, 4, 10, 8, requires_grad=True)
    offset = torch.zeros(2, 18, 10, 8, requires_grad=True)
    assert count(lambda: layer(image, offset).sum().backward()) == 3 * CONVOLUTION


@pytest.mark.parametrize("window", [None, torch.eye(12, 9).bool()])
def test_attention_and_its_gradients(window: torch.Tensor | None) -> None:
    query, key, value = (torch.zeros(2, 3, n, 5, requires_grad=True) for n in (12, 9, 9))
    one = 2 * 2 * 3 * 12 * 9 * 5  # logits, sums; backward the logits again, and the gradients of them and of all three
    assert count(lambda: F.scaled_dot_product_attention(query, key, value, window)) == 2 * one
    assert count(lambda: F.scaled_dot_product_attention(query, key, value, window).sum().backward()) == 7 * one


def test_a_gradient_penalty_is_counted(fabric: Fabric) -> None:
    model = find("cr_gan").load()(spec())
    model.setup(fabric)
    assert count(lambda: model.cycle(RandomBatches(model.spec), fabric, 0.5)) > 0
