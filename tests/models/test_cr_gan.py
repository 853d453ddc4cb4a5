"""CR-GAN: its losses, what its two paths see and step, and its residual blocks."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from models.cr_gan import (
    CRGAN,
    Discriminator,
    Encoder,
    Generator,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    reconstruction_loss,
)
from models.interface import Batch, ModelSpec
from models.layers.residual import DownBlock, UpBlock, residual_channels
from tests.tools import RandomBatches, arguments, spec

VIEWS, COUNT = 5, 4
LOSSES = {"discriminator", "generator", "discriminator_reconstruction", "encoder", "reconstruction"}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def judgement(seed: int) -> tuple[Tensor, Tensor]:
    return 5 * torch.randn(COUNT, generator=seeded(seed)), 3 * torch.randn(COUNT, VIEWS, generator=seeded(seed + 50))


def cross_entropy(logits: Tensor, labels: list[int]) -> float:
    values: NDArray[np.float64] = np.exp(logits.detach().double().numpy())
    return float(np.mean([-np.log(row[label] / row.sum()) for row, label in zip(values, labels, strict=True)]))


def test_discriminator_loss() -> None:
    real, fake, views = judgement(0), judgement(1), [4, 0, 2, 2]
    expected = float(np.mean(fake[0].numpy())) - float(np.mean(real[0].numpy())) + 10 * 0.7
    expected += cross_entropy(real[1], views)
    loss = discriminator_loss(real, fake, torch.tensor(views), torch.tensor(0.7), 10.0)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_generator_loss() -> None:
    fake, views = judgement(2), [1, 1, 3, 0]
    expected = -float(np.mean(fake[0].numpy())) + cross_entropy(fake[1], views)
    assert generator_loss(fake, torch.tensor(views)).item() == pytest.approx(expected, rel=1e-5)


def test_a_sure_and_right_classifier_loses_nothing() -> None:
    views = torch.tensor([1, 0, 4, 2])
    sure = torch.zeros(COUNT), 50 * F.one_hot(views, VIEWS).float()
    assert generator_loss(sure, views).item() == pytest.approx(0, abs=1e-6)  # a second softmax would leave 0.9


def test_reconstruction_is_summed_over_channels() -> None:
    made, goal = (torch.randn(COUNT, 3, 6, 6, generator=seeded(seed)) for seed in (3, 4))
    a, b = made.numpy(), goal.numpy()
    rows = range(6)
    pixels = [sum(abs(a[n, c, y, x] - b[n, c, y, x]) for c in range(3)) for n in range(4) for y in rows for x in rows]
    assert reconstruction_loss(made, goal).item() == pytest.approx(float(np.mean(pixels)), rel=1e-5)


def plain_penalty(discriminator: nn.Module, points: Tensor) -> Tensor:
    """The penalty, one sample at a time."""
    total = torch.zeros(())
    for point in points:
        alone = point[None].detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(discriminator(alone)[0][0], alone, create_graph=True)
        total = total + ((gradient**2).sum() ** 0.5 - 1) ** 2
    return total / len(points)


def test_the_penalty_is_per_sample() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(spec(width=0.25))
    with torch.no_grad():
        discriminator.score.weight.mul_(300)  # so that the norms are of the order of 1
    real, fake = (torch.randn(COUNT, 3, 32, 32, generator=seeded(seed)) * (1 + seed) for seed in (5, 6))
    share = torch.tensor([0.0, 0.2, 0.7, 1.0])[:, None, None, None]
    mine, plain = (
        gradient_penalty(discriminator, real, fake, share),
        plain_penalty(discriminator, share * real + (1 - share) * fake),
    )
    assert plain.item() > 0.01
    torch.testing.assert_close(mine, plain, rtol=1e-4, atol=1e-6)
    weights = [discriminator.score.weight, discriminator.trunk[0].weight, discriminator.trunk[2].second.weight]
    for a, b in zip(torch.autograd.grad(mine, weights), torch.autograd.grad(plain, weights), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


class Watched:
    """A model in training on one pair, and all that its networks were given."""

    def __init__(self, fake: bool, rate: float = 1.0, precision: str = "32-true") -> None:
        torch.manual_seed(0)
        self.spec = spec(learning_rate_factor=rate)
        self.model = CRGAN(self.spec).train()
        self.model.RECONSTRUCT_FAKE = float(fake)
        self.fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
        self.model.setup(self.fabric)
        self.seen: dict[str, list[tuple[Tensor, ...]]] = {}
        self.made: list[Tensor] = []
        for name in self.model.optimizers:
            self.seen[name] = []
            network = getattr(self.model, name)
            network.register_forward_pre_hook(partial(lambda name, _, given: self.seen[name].append(given), name))
        self.model.generator.register_forward_hook(lambda _, given, made: self.made.append(made.detach()))
        self.first, self.second = RandomBatches(self.spec).draw_pairs()

    def draw_pairs(self) -> tuple[Batch, Batch]:
        return self.first, self.second

    def draw(self) -> Batch:
        raise AssertionError("one pair is all that a cycle draws")

    def cycle(self) -> dict[str, float]:
        report = self.model.cycle(self, self.fabric, 0.0)
        assert report.images == self.spec.batch_size
        return {name: loss.item() for name, loss in report.losses.items()}


@pytest.fixture(params=[False, True], ids=["real", "fake"])
def fake(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_what_the_networks_are_given(fake: bool) -> None:
    watched = Watched(fake)
    watched.cycle()
    x1, x2 = watched.first, watched.second
    (v1, z), (v, latent) = watched.seen["generator"]
    x_bar, x_tilde = watched.made
    assert torch.equal(v1.argmax(1), x1.view)
    assert z.shape == latent.shape == (4, 128 - VIEWS)
    assert -1 <= z.min() < -0.9
    assert 0.9 < z.max() <= 1
    ((source,),) = watched.seen["encoder"]
    assert torch.equal(source, x_bar if fake else x1.image)
    assert torch.equal(v.argmax(1), x1.view if fake else x2.view)
    point1, real1, made1, made2, point3, real3, made3, made4 = (image for (image,) in watched.seen["discriminator"])
    for judged, expected in ((real1, x1.image), (made1, x_bar), (made2, x_bar), (real3, x2.image)):
        assert torch.equal(judged, expected)
    for judged in (made3, made4):
        assert torch.equal(judged, x_tilde)
    for point, real, made in ((point1, x1.image, x_bar), (point3, x2.image, x_tilde)):
        share = ((point - made) * (real - made)).sum((1, 2, 3)) / (real - made).square().sum((1, 2, 3))
        torch.testing.assert_close(point, made + share[:, None, None, None] * (real - made), rtol=1e-4, atol=1e-5)
        assert share.min() >= 0
        assert share.max() <= 1
        assert len(share.unique()) == len(share)


def test_the_losses_of_a_cycle(fake: bool) -> None:
    """Without learning, so that they can be computed afterwards."""
    watched = Watched(fake, rate=0.0)
    losses = watched.cycle()
    points, judge = [image for (image,) in watched.seen["discriminator"]][::4], watched.model.discriminator
    x1, x2 = watched.first, watched.second
    v1, v2 = x1.view.tolist(), x2.view.tolist()
    x_bar, x_tilde = watched.made

    def score(image: Tensor) -> float:
        return float(judge(image)[0].detach().numpy().mean())

    def of_discriminator(real: Tensor, made: Tensor, views: list[int], point: Tensor) -> float:
        penalty = plain_penalty(judge, point).item()
        return score(made) - score(real) + 10 * penalty + cross_entropy(judge(real)[1], views)

    wanted, goal, source = (v1, x_bar, x_bar) if fake else (v2, x2.image, x1.image)
    l1 = 3 * float(np.abs(x_tilde.numpy() - goal.numpy()).mean())
    estimate = cross_entropy(watched.model.estimate(watched.model.encoder.trunk(source)), v1)
    expected = {
        "discriminator": of_discriminator(x1.image, x_bar, v1, points[0]),
        "generator": cross_entropy(judge(x_bar)[1], v1) - score(x_bar),
        "discriminator_reconstruction": of_discriminator(x2.image, x_tilde, v2, points[1]),
        "encoder": -score(x_tilde) + 4 * l1 + cross_entropy(judge(x_tilde)[1], wanted) + 0.01 * estimate,
        "reconstruction": l1,
    }
    assert losses == pytest.approx(expected, rel=1e-4)


def test_how_often_the_weights_change(fake: bool) -> None:
    watched = Watched(fake)
    model = watched.model
    changes: list[str] = []

    def weights() -> dict[str, Tensor]:
        of = {name: list(getattr(model, name).parameters()) for name in model.optimizers}
        return {name: torch.cat([p.detach().flatten() for p in parameters]) for name, parameters in of.items()}

    last = weights()

    def note(*_: object) -> None:
        now = weights()
        changes.extend(name for name in now if not torch.equal(now[name], last[name]))
        last.update(now)

    for optimizer in model.optimizers.values():
        optimizer.optimizer.register_step_post_hook(note)
    watched.cycle()
    together = ["encoder", "estimate"] if fake else ["encoder", "estimate", "generator"]
    assert changes == ["discriminator", "generator", "discriminator", *together]
    assert all(parameter.requires_grad for parameter in model.parameters())


def steps(model: CRGAN, name: str) -> int:
    return int(next(iter(model.optimizers[name].state.values()))["step"])


def test_half_of_the_cycles_reconstruct_what_was_generated(fabric: Fabric) -> None:
    torch.manual_seed(0)
    model = CRGAN(spec(image_size=8)).train()
    model.setup(fabric)
    reports = [model.cycle(RandomBatches(model.spec), fabric, 0.0) for _ in range(40)]
    assert {frozenset(report.losses) for report in reports} == {frozenset(LOSSES)}
    assert (steps(model, "discriminator"), steps(model, "encoder"), steps(model, "estimate")) == (80, 40, 40)
    assert 40 + 12 < steps(model, "generator") < 80 - 12


def test_statistics_are_those_of_the_reconstruction_path(fabric: Fabric) -> None:
    torch.manual_seed(0)
    model = CRGAN(spec(refresh_batches=6))
    model.setup(fabric)
    inputs: list[tuple[Tensor, Tensor]] = []
    latents: list[Tensor] = []
    model.generator.register_forward_pre_hook(lambda _, given: inputs.append(given))
    model.encoder.register_forward_hook(lambda _, given, made: latents.append(made[0]))
    model.finish(RandomBatches(model.spec))
    assert len(inputs) == 6
    for (_, given), made in zip(inputs, latents, strict=True):
        assert torch.equal(given, made)
    assert len(torch.cat([code for code, _ in inputs]).argmax(1).unique()) == VIEWS
    means = [model.generator.dense(torch.cat(given, 1)).mean((0, 2, 3)) for given in inputs]
    torch.testing.assert_close(model.generator.blocks[0].norms[0].running_mean, torch.stack(means).mean(0))


def test_mixed_precision(fake: bool) -> None:
    watched = Watched(fake, rate=0.0, precision="bf16-mixed")
    exact, mixed = Watched(fake, rate=0.0).cycle(), watched.cycle()
    assert mixed == pytest.approx(exact, rel=0.15, abs=0.05)  # batch norm over four samples magnifies
    assert mixed != exact


@pytest.mark.parametrize(
    ("size", "channels", "side"),
    [
        (32, [64, 64, 128, 256], 4),
        (64, [64, 64, 128, 256, 512], 4),
        (96, [64, 64, 128, 256, 512], 6),
        (128, [64, 64, 128, 256, 512, 512], 4),
        (224, [64, 64, 128, 256, 512, 512], 7),
    ],
)
def test_shapes(size: int, channels: list[int], side: int) -> None:
    assert residual_channels(size) == channels
    with torch.device("meta"):
        model = CRGAN(spec(image_size=size, width=1.0))
        image = torch.empty(2, 3, size, size)
        latent, feature = model.encoder(image)
        score, views = model.discriminator(image)
        turned = model.generate(image, torch.empty(2, VIEWS), torch.empty(2, 128))
    assert (latent.shape, feature.shape) == ((2, 128 - VIEWS), (2, channels[-1] * side**2))
    assert (score.shape, views.shape, turned.shape) == ((2,), (2, VIEWS), (2, 3, size, size))
    assert model.generator.dense[0].out_features == channels[-1] * side**2
    assert [block.second.out_channels for block in model.generator.blocks] == channels[-2::-1]


def test_published_size() -> None:
    with torch.device("meta"):
        model = CRGAN(ModelSpec(128, views=9, identities=3))
    estimated = {"encoder": ("encoder", "estimate"), "generator": ("generator",), "discriminator": ("discriminator",)}
    counts = {
        name: sum(p.numel() for part in parts for p in getattr(model, part).parameters())
        for name, parts in estimated.items()
    }
    assert counts == pytest.approx({"encoder": 14.44e6, "generator": 12.13e6, "discriminator": 13.47e6}, abs=6e3)


def test_down_block_by_its_definition() -> None:
    torch.manual_seed(0)
    block, x = DownBlock(6, 5), torch.randn(2, 6, 8, 8)
    hidden = block.first(x.clamp(min=0)).clamp(min=0)
    expected = F.avg_pool2d(block.second(hidden), 2) + block.shortcut(F.avg_pool2d(x, 2))
    torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-6)


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_up_block_by_its_definition() -> None:
    torch.manual_seed(0)
    block, x = UpBlock(6, 5, bias=True), torch.randn(2, 6, 4, 4)
    first, second = block.norms
    main = block.second(second(block.first(doubled(first(x).clamp(min=0)))).clamp(min=0))
    torch.testing.assert_close(block(x), main + block.shortcut(doubled(x)), rtol=1e-5, atol=1e-6)


def networks(width: float) -> Iterator[tuple[str, nn.Module]]:
    torch.manual_seed(0)
    of = spec(width=width)
    for network in (Encoder(of), Generator(of), Discriminator(of)):
        for name, module in network.named_modules():
            yield f"{type(network).__name__}.{name}", module


@pytest.mark.parametrize("width", [1.0, 0.25])
def test_weights_at_the_start(width: float) -> None:
    for name, module in networks(width):
        if isinstance(module, nn.Conv2d | nn.Linear):
            fixed = name in {"Encoder.trunk.0", "Discriminator.trunk.0", "Generator.dense.0"}
            deviation = 0.02 if fixed else 0.02 / width**0.5
            assert module.weight.std().item() == pytest.approx(deviation, rel=0.1), name
        if isinstance(module, nn.Linear) and module.bias is not None:
            assert not module.bias.any(), name
        if isinstance(module, nn.BatchNorm2d):
            assert abs(module.weight.mean().item() - 1) < 0.02, name
            assert 0.005 < module.weight.std().item() < 0.04, name
            assert not module.bias.any(), name


@pytest.mark.parametrize("kind", [Encoder, Discriminator])
def test_a_narrow_network_answers_as_the_published_one(kind: type[nn.Module]) -> None:
    image, *_ = arguments(spec(), count=16)

    def response(width: float) -> float:
        torch.manual_seed(0)
        with torch.no_grad():
            return float(kind(spec(width=width))(image)[0].std(0).mean())

    assert 1 / 3 < response(0.15) / response(1.0) < 3
