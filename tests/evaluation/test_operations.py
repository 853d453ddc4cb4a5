"""Multiply-accumulates against sums made by hand."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import DeformConv2d

from benchmark.evaluation.operations import image_macs, macs
from models.ablations import CNC28, GlobalNC28, Vanilla, VanillaDeform
from models.interface import ModelSpec
from models.ours import Ours
from tests.tools import spec


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(4, 6, 3, padding=1), 10 * 8 * 9 * 4 * 6),  # a MAC for each output position and weight
        (nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), 5 * 4 * 9 * 4 * 6),
        (nn.Conv2d(4, 6, 1, groups=2), 10 * 8 * 2 * 6),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), 10 * 8 * 9 * 4 * 6),  # input positions
        (nn.Sequential(nn.BatchNorm2d(4), nn.ELU(), nn.Flatten(), nn.Linear(320, 7)), 320 * 7),
    ],
)
@pytest.mark.parametrize("batch", [1, 3])
def test_layers(layer: nn.Module, expected: int, batch: int) -> None:
    layer.eval()
    assert macs(lambda: layer(torch.zeros(batch, 4, 10, 8))) == batch * expected


@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (1, 2)])
def test_a_deformable_convolution_counts_as_a_plain_one(stride: int, groups: int) -> None:
    deformable = DeformConv2d(4, 6, 3, stride, padding=1, groups=groups)
    plain = nn.Conv2d(4, 6, 3, stride, padding=1, groups=groups)
    image, side = torch.zeros(2, 4, 8, 8), 8 // stride
    offset = torch.zeros(2, 18, side, side)
    expected = 2 * side * side * 9 * 4 * 6 // groups
    assert macs(lambda: deformable(image, offset)) == expected
    assert macs(lambda: plain(image)) == expected


@pytest.mark.parametrize("window", [None, torch.eye(12, 9).bool()])
@pytest.mark.parametrize("contiguous", [True, False])  # torch chooses another kernel
def test_attention_counts_all_pairs(window: Tensor | None, contiguous: bool) -> None:
    query, key, value = torch.zeros(2, 3, 12, 5), torch.zeros(2, 3, 9, 5), torch.zeros(2, 3, 9, 5)
    if not contiguous:
        query, key = (x.mT.contiguous().mT for x in (query, key))
    assert macs(lambda: F.scaled_dot_product_attention(query, key, value, window)) == 2 * 3 * 2 * 12 * 9 * 5


LEVELS = [(32, 64), (64, 64, 128), (128, 96, 192), (192, 128, 256), (256, 160, 320), (320, 200, 320)]


def row(side: int, *channels: int) -> int:
    """MACs of 3x3 convolutions in a row, on maps of one side."""
    return sum(9 * inputs * outputs * side**2 for inputs, outputs in pairwise(channels))


def test_the_full_model_at_224_px() -> None:
    sides = [224, 112, 56, 28, 14, 7]
    before = [3, *(level[-1] for level in LEVELS)]
    encoder = sum(row(side, b, *level) for side, b, level in zip(sides, before, LEVELS, strict=False))
    rows = 8 * (8 + 7) + 8 * (8 + 14) + 8 * (8 + 11) + 4 * (4 + 7)  # of queries times those of keys, for each strip
    connection = 28**2 * 128 * (256 + 256 + 192) + 2 * 28**2 * rows * 128  # key and value, query; logits and sums
    decoder = row(7, *LEVELS[5][::-1]) + row(224, 32, 3)
    for depth in range(5):  # a transposed convolution visits each position of its smaller input
        inputs = LEVELS[depth + 1][0] + (128 if depth == 2 else 0)  # CNC adds C_h = 256 / 2 to the map above
        decoder += row(sides[depth + 1], inputs, LEVELS[depth][-1]) + row(sides[depth], *LEVELS[depth][::-1])
    modulated = [200, 320, *(channels for level in LEVELS[:5] for channels in level)]
    modulation = sum(2 * 32 * (320 + channels) + 64 * (channels + 320) for channels in modulated)
    dense = (320 + 128 + 5) * 320 * 7**2
    assert image_macs(Ours(ModelSpec(224, 5, 2))) == encoder + connection + decoder + modulation + dense


def test_what_the_parts_add() -> None:
    small = spec()  # 32 px at an eighth of the width: the connected map has 8 x 8 positions
    vanilla, deform = image_macs(Vanilla(small)), image_macs(VanillaDeform(small))
    layer = VanillaDeform(small).generator.decoder.levels[1].layers[-1].convolution
    assert deform - vanilla == 64 * layer.offset.weight.numel()
    assert image_macs(CNC28(small)) == image_macs(GlobalNC28(small)) > vanilla


def test_the_model_is_left_in_evaluation_mode_without_gradients() -> None:
    model = Ours(spec())
    image_macs(model)
    assert not model.training
    assert all(p.grad is None for p in model.parameters())
