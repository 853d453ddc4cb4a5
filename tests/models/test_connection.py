"""CNC and Global-NC against attention over explicitly cut-out windows."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.layers.connection import NonalignmentConnection, neighbourhood


def connection(side: int, radius: int | None, seed: int = 0) -> NonalignmentConnection:
    torch.manual_seed(seed)
    return NonalignmentConnection(6, 5, side, radius)


def maps(side: int, count: int = 2) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(1)
    shape = (count, 5, side, side)
    encoded = torch.randn(count, 6, side, side, generator=random)
    return encoded.requires_grad_(), torch.randn(shape, generator=random).requires_grad_()


def unfolded(module: NonalignmentConnection, encoded: Tensor, decoded: Tensor, radius: int) -> Tensor:
    """Eq. 1 with windows cut out by F.unfold; what the padding added is taken out before the softmax."""
    window, positions = 2 * radius + 1, decoded.shape[2] * decoded.shape[3]

    def windows(x: Tensor) -> Tensor:
        return F.unfold(x, window, padding=radius).reshape(len(x), x.shape[1], window**2, positions)

    query, keys, values = module.query(decoded), windows(module.key(encoded)), windows(module.value(encoded))
    inside = windows(torch.ones_like(encoded[:, :1])) > 0
    logits = (query.flatten(2).unsqueeze(2) * keys).sum(1, keepdim=True)
    attention = logits.masked_fill(~inside, -torch.inf).softmax(2)
    z = (attention * values).sum(2).reshape(len(decoded), -1, *decoded.shape[2:])
    return torch.cat([decoded, z], 1)


@pytest.mark.parametrize(("side", "radius"), [(1, 0), (4, 1), (8, 2), (7, 3), (6, 5), (5, 0), (3, 4)])
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


def test_logits_are_not_scaled() -> None:
    module = NonalignmentConnection(8, 1, 2, None)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.query.bias.fill_(1.0)
        module.key.weight[:, 0] = 1.0  # each of the four common channels holds the encoder's channel 0
        module.value.weight[0, 1] = 1.0
    encoded = torch.zeros(1, 8, 2, 2)
    encoded[0, 0, 0, 0] = 0.5
    encoded[0, 1, 0, 0] = 1.0
    weight = torch.tensor([4 * 0.5, 0.0, 0.0, 0.0]).softmax(0)[0]
    z = module(encoded, torch.zeros(1, 1, 2, 2))[0, 1]
    torch.testing.assert_close(z, weight.expand(2, 2))


def test_the_decoder_comes_first_and_is_passed_on() -> None:
    encoded, decoded = maps(4)
    connected = connection(4, 1)(encoded, decoded)
    assert connected.shape == (2, 5 + 3, 4, 4)
    assert torch.equal(connected[:, :5], decoded)
