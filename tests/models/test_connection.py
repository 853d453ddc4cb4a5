"""CNC and Global-NC against attention over explicitly cut-out windows."""

import math

import pytest
import torch
from torch import Tensor

from models.ablations import CNC28
from models.interface import ModelSpec
from models.layers.connection import NonalignmentConnection, neighbourhood, strips
from tools.speed.training import unfolded


def connection(side: int, radius: int | None, seed: int = 0) -> NonalignmentConnection:
    torch.manual_seed(seed)
    return NonalignmentConnection(6, 5, side, radius)


def maps(side: int, count: int = 2) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(1)
    shape = (count, 5, side, side)
    encoded = torch.randn(count, 6, side, side, generator=random)
    return encoded.requires_grad_(), torch.randn(shape, generator=random).requires_grad_()


@pytest.mark.parametrize(("side", "radius"), [(1, 0), (4, 1), (8, 2), (7, 3), (6, 5), (5, 0), (3, 4), (12, 3)])
def test_cnc_equals_attention_over_cut_out_windows(side: int, radius: int) -> None:
    module = connection(side, radius)
    encoded, decoded = maps(side)
    inputs = [encoded, decoded, *module.parameters()]
    ours, reference = module(encoded, decoded), unfolded(module, encoded, decoded, radius)
    torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-5)
    weights = torch.randn_like(ours)
    gradients = torch.autograd.grad((ours * weights).sum(), inputs)
    expected = torch.autograd.grad((reference * weights).sum(), inputs)
    for mine, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("side", "radius"), [(9, 0), (17, 4), (24, 9), (16, 20)])
def test_keys_that_no_query_of_a_strip_sees_are_left_out_alone(side: int, radius: int) -> None:
    module, (encoded, decoded) = connection(side, radius), maps(side)
    in_strips = module(encoded, decoded)
    assert len(module.strips) > 1
    module.strips = [(slice(None), slice(None))]
    torch.testing.assert_close(in_strips, module(encoded, decoded))


@pytest.mark.parametrize(("side", "share"), [(8, 1.0), (28, 0.63), (56, 0.54)])
def test_the_share_of_logits_that_is_computed(side: int, share: float) -> None:
    positions = range(side**2)
    computed = sum(len(positions[rows]) * len(positions[keys]) for rows, keys in strips(side, side // 4))
    assert computed / side**4 == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("radius", [5, 6, 20])
def test_a_window_as_large_as_the_map_is_global(radius: int) -> None:
    cnc, everywhere = connection(6, radius), connection(6, None)
    everywhere.load_state_dict(cnc.state_dict())
    torch.testing.assert_close(cnc(*maps(6)), everywhere(*maps(6)))


def test_a_smaller_window_is_not_global() -> None:
    cnc, everywhere = connection(6, 4), connection(6, None)
    everywhere.load_state_dict(cnc.state_dict())
    assert not torch.allclose(cnc(*maps(6)), everywhere(*maps(6)), atol=1e-3)


def test_keys_outside_the_window_do_not_count() -> None:
    module = connection(8, 2)
    encoded, decoded = maps(8)
    changed = encoded.detach().clone()
    changed[:, :, 6, 6] += 100.0
    before, after = module(encoded, decoded), module(changed, decoded)
    near = torch.zeros(8, 8, dtype=torch.bool)
    near[4:, 4:] = True
    torch.testing.assert_close(before[:, :, ~near], after[:, :, ~near], rtol=0, atol=1e-6)
    assert ((before - after)[:, 5:].abs().amax((0, 1))[near] > 1e-3).all()


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_windows_are_cut_at_the_border(radius: int) -> None:
    module = connection(8, radius)
    encoded, decoded = maps(8, count=1)
    z = module(encoded, decoded)[0, 5:]

    def seen(row: int, column: int) -> int:
        (gradient,) = torch.autograd.grad(z[:, row, column].sum(), encoded, retain_graph=True)
        return int((gradient[0].abs().sum(0) > 0).sum())

    assert seen(0, 0) == seen(7, 7) == seen(0, 7) == (radius + 1) ** 2
    assert seen(0, 4) == (radius + 1) * (2 * radius + 1)
    assert seen(4, 4) == (2 * radius + 1) ** 2


def test_neighbourhood_by_a_plain_loop() -> None:
    side, radius = 5, 2
    window = neighbourhood(side, radius)
    for query in range(side**2):
        for key in range(side**2):
            rows, columns = abs(query // side - key // side), abs(query % side - key % side)
            assert window[query, key] == (rows <= radius and columns <= radius)


@pytest.mark.parametrize(("scaled_logits", "logit"), [(False, 4 * 0.5), (True, 4 * 0.5 / 4**0.5)])
def test_logits_are_scaled_where_that_is_asked_for(scaled_logits: bool, logit: float) -> None:
    module = NonalignmentConnection(8, 1, 2, None, scaled_logits)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.query.bias.fill_(1.0)
        module.key.weight[:, 0] = 1.0  # each of the four common channels holds the encoder's channel 0
        module.value.weight[0, 1] = 1.0
    encoded = torch.zeros(1, 8, 2, 2)
    encoded[0, 0, 0, 0] = 0.5
    encoded[0, 1, 0, 0] = 1.0
    weight = torch.tensor([logit, 0.0, 0.0, 0.0]).softmax(0)[0]
    z = module(encoded, torch.zeros(1, 1, 2, 2))[0, 1]
    torch.testing.assert_close(z, weight.expand(2, 2))


@pytest.mark.parametrize(("initialisation", "factor"), [("published", 1.0), ("fan_in", 24**-0.5)])
def test_logits_are_scaled_under_fan_in(initialisation: str, factor: float) -> None:
    generator = CNC28(ModelSpec(32, views=5, identities=3, width=0.25, initialisation=initialisation)).generator
    (found,) = [module for module in generator.modules() if isinstance(module, NonalignmentConnection)]
    assert (found.key.out_channels, found.factor) == (24, factor)


def test_the_decoder_comes_first_and_is_passed_on() -> None:
    encoded, decoded = maps(4)
    connected = connection(4, 1)(encoded, decoded)
    assert connected.shape == (2, 5 + 3, 4, 4)
    assert torch.equal(connected[:, :5], decoded)


def test_attention_is_in_single_precision_where_the_rest_is_not() -> None:
    module, (encoded, decoded) = connection(12, 3), (8 * feature for feature in maps(12))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        projected = [module.query(decoded), module.key(encoded), module.value(encoded)]
        connected = module(encoded, decoded)
    assert {part.dtype for part in projected} == {torch.bfloat16}
    query, key, value = (part.flatten(2).transpose(1, 2).float() for part in projected)
    logits = (query @ key.mT).masked_fill(~neighbourhood(12, 3), -torch.inf)
    z = (logits.softmax(2) @ value).mT.reshape(connected[:, 5:].shape)
    rounded = (logits.bfloat16().float().softmax(2) @ value).mT.reshape(z.shape)
    torch.testing.assert_close(connected[:, 5:], z, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(rounded, z, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(("radius", "scaled_logits"), [(None, False), (1, False), (2, True), (9, False)])
def test_the_attention_that_is_described_is_the_one_that_is_used(radius: int | None, scaled_logits: bool) -> None:
    torch.manual_seed(0)
    module, (encoded, decoded) = NonalignmentConnection(6, 5, 12, radius, scaled_logits), maps(12)
    weights = module.attention(encoded, decoded)
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 144))
    values = module.value(encoded).flatten(2).transpose(1, 2)
    torch.testing.assert_close(
        (weights @ values).transpose(1, 2).reshape(2, 3, 12, 12), module(encoded, decoded)[:, 5:]
    )


def test_spread_of_the_attention() -> None:
    module = connection(8, 2)
    encoded, decoded = (feature.detach() for feature in maps(8))
    for parameter in module.parameters():
        parameter.requires_grad_(False).zero_()
    even = module.describe(encoded, decoded)
    assert even["attention_entropy"] == pytest.approx(1, abs=1e-6)
    module.query.bias.fill_(1.0)
    module.key.weight[:, 0] = 1.0
    encoded.zero_()
    encoded[:, 0, 0, 0] = 1e4  # whoever sees the corner looks at nothing else
    found = module.describe(encoded, decoded)
    assert found["attention_entropy"] == pytest.approx((64 - 9) / 64, abs=1e-4)  # 9 positions see it
    apart = [math.hypot(min(row, 2), min(column, 2)) for row in range(8) for column in range(8)]  # first in sight
    assert found["attention_distance"] == pytest.approx(sum(apart) / 64 / 8, rel=1e-4)
