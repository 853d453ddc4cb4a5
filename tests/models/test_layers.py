"""Activation, normalisation, plan and the small layers."""

import re

import pytest
import torch
import torch.nn.functional as F
from scipy.stats import kstest
from torch import Tensor, nn

from models.ablations import CNC28, CNC28IM, CNC56, GlobalNC28, GlobalNC56, Vanilla, VanillaDeform
from models.dr_gan import DRGAN
from models.interface import ModelSpec
from models.layers.activation import Elu
from models.layers.blocks import Encoder, uniform_noise
from models.layers.connection import SkipConnection
from models.layers.deformable import DeformableConvolution
from models.layers.discriminator import Discriminator
from models.layers.generator import Generator
from models.layers.modulation import AdaptiveIdentityModulation, IdentityModulation, PlainNorm
from models.layers.plan import Plan, connection_map, plan, scaled
from models.layers.refresh import refresh_batch_norm
from models.ours import Ours
from models.registry import find
from models.unet import Unet, UnetNoAIM

PLAN = Plan(16, 1.0, ((12,),))  # 12 identity features
POINTS = [0.0, -0.0, 1.0, -1.0, 1e-8, -1e-8, -1e-4, 3e-5, 88.0, -88.0, -1e4, 1e30, -1e30, float("inf")]


def test_elu_is_elu() -> None:
    x = torch.cat([torch.tensor(POINTS), torch.linspace(-20, 20, 4001)]).requires_grad_()
    torch.testing.assert_close(Elu()(x), F.elu(x), rtol=1e-6, atol=1e-7)
    weights = torch.linspace(-2, 3, len(x))
    (mine,) = torch.autograd.grad(Elu()(x), x, weights)
    (other,) = torch.autograd.grad(F.elu(x), x, weights)
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


def test_elu_leaves_its_input_alone() -> None:
    x = torch.linspace(-3, 3, 7)
    Elu()(x)
    assert torch.equal(x, torch.linspace(-3, 3, 7))


def features(count: int = 6) -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)
    return 2 * torch.randn(count, 5, 4, 4) + 1, torch.randn(count, 12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", [IdentityModulation, AdaptiveIdentityModulation])
def test_modulation_starts_as_plain_batch_norm(kind: type[IdentityModulation], training: bool) -> None:
    modulated, plain = kind(5, PLAN), nn.BatchNorm2d(5)
    x, identity = features()
    for _ in range(3):  # so that the running statistics are not those of the start
        torch.testing.assert_close(modulated(x, identity), plain(x))
    modulated.train(training)
    plain.train(training)
    torch.testing.assert_close(modulated(3 * x, 5 * identity), plain(3 * x))


def scrambled(module: nn.Module) -> None:
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)


class Ones(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.ones(len(x), 12)


def test_aim_with_full_attention_is_im() -> None:
    aim, im = AdaptiveIdentityModulation(5, PLAN), IdentityModulation(5, PLAN)
    scrambled(aim)
    im.load_state_dict({key: value for key, value in aim.state_dict().items() if not key.startswith("tau")})
    x, identity = features()
    assert not torch.allclose(aim(x, identity), im(x, identity), atol=1e-2)
    aim.tau = Ones()
    torch.testing.assert_close(aim(x, identity), im(x, identity))


def test_aim_by_equations_4_and_5() -> None:
    aim = AdaptiveIdentityModulation(5, PLAN)
    scrambled(aim)
    x, identity = features()
    before = x.mean((2, 3))  # the feature before normalisation
    hidden = (before @ aim.tau[0].weight.T + aim.tau[0].bias).clamp(min=0)
    attention = 1 / (1 + torch.exp(-(hidden @ aim.tau[2].weight.T + aim.tau[2].bias)))
    attended = identity * attention

    def mlp(layers: nn.Sequential) -> Tensor:
        inner = (attended @ layers[0].weight.T + layers[0].bias).clamp(min=0)
        return (inner @ layers[2].weight.T + layers[2].bias)[:, :, None, None]

    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
    expected = mlp(aim.scale) * (x - mean) / (variance + 1e-5).sqrt() + mlp(aim.shift)
    torch.testing.assert_close(aim(x, identity), expected, rtol=1e-4, atol=1e-5)


def test_hidden_sizes_of_the_modulation_scale_like_the_channels() -> None:
    """So that AIM has about the same share of the generator at any width: 7 to 8 %, in the paper 5 %."""
    for width, hidden, tau in ((1.0, 32, 64), (0.5, 16, 32), (0.25, 8, 16), (0.125, 8, 8)):
        aim = AdaptiveIdentityModulation(5, plan(32, width))
        assert (aim.scale[0].out_features, aim.shift[0].out_features, aim.tau[0].out_features) == (hidden, hidden, tau)
    for size, width in ((32, 0.25), (64, 0.5), (224, 1.0)):
        with torch.device("meta"):
            generator = Ours(ModelSpec(size, views=5, identities=50, width=width)).generator
        added = [p.numel() for name, p in generator.named_parameters() if re.search(r"norm\.(scale|shift|tau)", name)]
        assert 0.05 < sum(added) / sum(p.numel() for p in generator.parameters()) < 0.085


def test_plain_norm_ignores_the_identity() -> None:
    x, identity = features()
    assert torch.equal(PlainNorm(5, PLAN)(x, identity), PlainNorm(5, PLAN)(x, identity + 1))


FIVE = ((32, 64), (64, 64, 128), (128, 96, 192), (192, 128, 256), (256, 160, 320))


@pytest.mark.parametrize(
    ("size", "channels", "smallest"),
    [
        (96, FIVE, 6),
        (224, (*FIVE, (320, 200, 320)), 7),
        (64, FIVE, 4),
        (32, FIVE[:4], 4),
        (48, FIVE[:4], 6),
        (80, FIVE, 5),
    ],
)
def test_plan(size: int, channels: tuple[tuple[int, ...], ...], smallest: int) -> None:
    found = plan(size)
    assert (found.channels, found.smallest, found.features) == (channels, smallest, channels[-1][-1])
    assert [found.level(size >> level) for level in range(len(channels))] == list(range(len(channels)))


@pytest.mark.parametrize("size", [0, 1, 3, 9, 30, 33, 100, 225])
def test_sizes_without_a_plan_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size {size} is not"):
        plan(size)


@pytest.mark.parametrize(("channels", "width", "result"), [(64, 1, 64), (96, 0.25, 24), (32, 0.125, 8), (160, 0.3, 48)])
def test_scaled(channels: int, width: float, result: int) -> None:
    assert scaled(channels, width) == result


@pytest.mark.parametrize(
    ("size", "twenty_eight", "fifty_six"), [(224, 28, 56), (128, 16, 32), (96, 24, 48), (64, 16, 32), (32, 8, 16)]
)
def test_connection_map(size: int, twenty_eight: int, fifty_six: int) -> None:
    assert (connection_map(size, 28), connection_map(size, 56)) == (twenty_eight, fifty_six)


def test_encoder_levels_halve_the_side() -> None:
    outputs = Encoder(plan(48, 0.125))(torch.zeros(2, 3, 48, 48))
    assert [tuple(output.shape[1:]) for output in outputs] == [(8, 48, 48), (16, 24, 24), (24, 12, 12), (32, 6, 6)]


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


SIZES = {  # parameters of the generator at 224 px, counted by hand from the channels
    Vanilla: 16_992_611,
    VanillaDeform: 16_992_611 + 18 * (128 * 9 + 1),
    GlobalNC56: 16_992_611 + 96 * (192 + 193 + 129) + 9 * 96 * 128,
    CNC56: 16_992_611 + 96 * (192 + 193 + 129) + 9 * 96 * 128,
    GlobalNC28: 16_992_611 + 128 * (256 + 257 + 193) + 9 * 128 * 192,
    CNC28: 16_992_611 + 128 * (256 + 257 + 193) + 9 * 128 * 192,
    Ours: 18_299_491,
    UnetNoAIM: 16_992_611 + 9 * (320 * 320 + 320 * 256 + 256 * 192 + 192 * 128 + 128 * 64 + 64 * 3),
}


@pytest.mark.parametrize("model", SIZES)
def test_generator_size(model: type[Ours]) -> None:
    with torch.device("meta"):
        assert parameters(Generator(ModelSpec(224, views=5, identities=1181), model.variant)) == SIZES[model]


def test_the_ablations_differ_in_their_parts() -> None:
    kinds = [Vanilla, VanillaDeform, GlobalNC56, CNC56, GlobalNC28, CNC28, CNC28IM, Ours]
    variants = [kind.variant for kind in kinds]
    assert len(set(variants)) == len(variants)
    assert all(kind.variant.modulation == "bn" for kind in kinds[:6])


def test_one_deformable_convolution_on_the_map() -> None:
    with torch.device("meta"):
        found = Generator(ModelSpec(224, views=5, identities=3), VanillaDeform.variant)
    (layer,) = (module for module in found.modules() if isinstance(module, DeformableConvolution))
    assert layer.sample.weight.shape == (192, 128, 3, 3)
    assert found.decoder.levels[2].layers[-1].convolution is layer  # 7, 14, 28


def test_a_deformable_convolution_starts_as_a_plain_one() -> None:
    torch.manual_seed(0)
    layer = DeformableConvolution(4, 6)
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.sample.weight, padding=1))


def test_a_deformable_convolution_samples_where_the_offsets_say() -> None:
    torch.manual_seed(0)
    layer = DeformableConvolution(4, 6)
    assert layer.offset.bias is not None
    with torch.no_grad():
        layer.offset.bias[0::2] = 1.0  # every sample one row further down
    x = torch.randn(2, 4, 7, 5)
    shifted = F.pad(x, (0, 0, 0, 1))[:, :, 1:]
    expected = F.conv2d(shifted, layer.sample.weight, padding=1)
    torch.testing.assert_close(layer(x)[:, :, 1:], expected[:, :, 1:])


def test_the_u_net_passes_on_every_level() -> None:
    spec = ModelSpec(32, views=5, identities=3, width=0.125)
    torch.manual_seed(0)
    model = Unet(spec)
    assert model.map == "all"
    assert sum(isinstance(module, SkipConnection) for module in model.generator.modules()) == 4
    image = torch.randn(2, 3, 32, 32)
    encoded = [feature.detach().requires_grad_() for feature in model.generator.encoder(image)]
    latent = torch.zeros(2, model.generator.decoder.dense.in_features)
    drawn = model.generator.decoder(latent, torch.zeros(2, 32), encoded)
    assert all(bool(grad.any()) for grad in torch.autograd.grad(drawn.sum(), encoded))


def test_dr_gan_uses_50_numbers_of_noise() -> None:
    torch.manual_seed(0)
    model = DRGAN(ModelSpec(32, views=5, identities=3, width=0.125)).eval()
    image, code, noise = torch.randn(2, 3, 32, 32), torch.eye(5)[:2], torch.randn(2, 128)
    more, other = noise.clone(), noise.clone()
    more[:, 50:] += 1
    other[:, 49] += 1
    drawn = model.generate(image, code, noise)
    assert torch.equal(drawn, model.generate(image, code, more))
    assert not torch.equal(drawn, model.generate(image, code, other))


def test_published_discriminator_size() -> None:
    with torch.device("meta"):
        assert parameters(Discriminator(ModelSpec(224, views=5, identities=1181))) == pytest.approx(5.318e6, abs=500)


@pytest.mark.parametrize(
    ("size", "side", "radius", "channels"), [(224, 28, 7, (256, 192)), (96, 24, 6, (192, 128)), (32, 8, 2, (192, 128))]
)
def test_where_the_connection_sits(size: int, side: int, radius: int, channels: tuple[int, int]) -> None:
    spec = ModelSpec(size, views=5, identities=3)
    with torch.device("meta"):
        generator = Generator(spec, Ours.variant)
        assert Ours(spec).map == str(side)
    (found,) = (level.connection for level in generator.decoder.levels if level.connection is not None)
    assert found.window is not None
    assert found.window.shape == (side**2, side**2)
    assert found.key.weight.shape == (channels[0] // 2, channels[0], 1, 1)
    assert found.query.weight.shape == (channels[0] // 2, channels[1], 1, 1)
    cpu = Generator(ModelSpec(size, 5, 3, width=0.125), Ours.variant)
    (window,) = (level.connection.window for level in cpu.decoder.levels if level.connection is not None)
    assert int(window.sum(1).min()) == (radius + 1) ** 2
    assert int(window.sum(1).max()) == (2 * radius + 1) ** 2


def test_weights_start_as_in_dr_gan() -> None:
    torch.manual_seed(0)
    generator = Generator(ModelSpec(32, 5, 3), Ours.variant)
    for name, module in generator.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) or name == "decoder.dense":
            assert abs(module.weight.mean().item()) < 2e-3, name
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.1), name
            assert module.bias is None or not module.bias.any(), name


def fan_in(module: nn.Module) -> float:
    weight = module.weight
    if isinstance(module, nn.ConvTranspose2d):  # every input goes into 9 outputs, of which there are 4 times as many
        return weight.shape[0] * 9 / 4
    return float(weight.shape[1] * weight.shape[2] * weight.shape[3])


@pytest.mark.parametrize("name", ["ours", "vanilla_deform", "unet", "dr_gan_sigmoid", "two_step", "two_step_roles"])
def test_weights_can_start_by_fan_in(name: str) -> None:
    def built(how: str) -> nn.Module:
        torch.manual_seed(0)
        model: nn.Module = find(name).load()(ModelSpec(32, 5, 3, width=0.5, initialisation=how))
        return model

    published, scaled = built("published"), built("fan_in")
    for (where, before), after in zip(published.named_modules(), scaled.modules(), strict=True):
        weight = getattr(before, "weight", None)
        if weight is None:
            continue
        if weight.dim() == 4 and weight.any():
            std = float(after.weight.detach().std())
            assert std == pytest.approx(fan_in(before) ** -0.5, rel=0.15), where
            assert std == pytest.approx(float(weight.detach().std()) / 0.02 * fan_in(before) ** -0.5), where
        else:
            torch.testing.assert_close(after.weight, weight, msg=where)
    assert any(isinstance(module, nn.ConvTranspose2d) for module in scaled.modules())


def test_refreshed_statistics_are_the_plain_mean() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, momentum=0.3))
    network(50 * torch.randn(8, 3, 5, 5))  # something stale
    batches = [n + (n + 1) * torch.randn(6, 3, 5, 5) for n in range(4)]
    inner = [network[1](network[0](batch)).detach() for batch in batches]  # train mode: batch statistics
    remaining = iter(batches)
    refresh_batch_norm(network, lambda: network(next(remaining)), len(batches))
    for norm, seen in ((network[0], batches), (network[2], inner)):
        means = torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0)
        variances = torch.stack([x.var((0, 2, 3)) for x in seen]).mean(0)
        torch.testing.assert_close(norm.running_mean, means)
        torch.testing.assert_close(norm.running_var, variances)
    assert (network[0].momentum, network[2].momentum) == (0.1, 0.3)


def test_uniform_noise_is_uniform() -> None:
    noise = uniform_noise(torch.randn(20_000, generator=torch.Generator().manual_seed(0)))
    assert kstest(noise.numpy(), "uniform", args=(-1, 2)).pvalue > 0.01
    assert noise.abs().max() <= 1


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (Vanilla, {"latent"}),
        (VanillaDeform, {"latent"}),
        (CNC28, {"latent", "connection"}),
        (Ours, {"latent", "connection", "modulation"}),
        (Unet, {"latent", "connection", "modulation"}),
    ],
)
def test_shares_of_the_paths(kind: type[Ours], paths: set[str]) -> None:
    torch.manual_seed(0)
    model = kind(ModelSpec(32, views=5, identities=3, width=0.125)).eval()
    image, code, noise = torch.rand(4, 3, 32, 32), torch.eye(5)[:4], torch.randn(4, 128)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.weight.mul_(5)
        found = model.diagnose(image, code, noise)
        shares = {name.removeprefix("share_"): share for name, share in found.items() if name.startswith("share")}
        assert set(shares) == paths
        assert ("attention_entropy" in found) == (kind in (CNC28, Ours))
        if paths == {"latent"}:
            assert shares["latent"] == pytest.approx(1)
        else:
            assert 0 < shares["connection"] <= 1.5
        if "modulation" in paths:
            assert shares["modulation"] == 0  # at the start it is plain batch norm
            scrambled(model.generator.decoder)
            assert model.diagnose(image, code, noise)["share_modulation"] > 0
