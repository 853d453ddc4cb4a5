"""Two-Step: its losses, its two steps, and how each variant imposes a view."""

import math
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from scipy.stats import chisquare
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from benchmark.training import checkpoint
from benchmark.training.warm_up import HeldOut, warm_up
from models.capacity import discriminator_parameters, generator_parameters, sized, tolerance
from models.interface import Batch, ModelSpec, ViewModel, WarmStart
from models.layers.codes import codes_by_view, exemplar_of
from models.ours import Ours
from models.two_step import (
    Disentangler,
    TwoStep,
    TwoStepExemplar,
    TwoStepRoles,
    confusion,
    generator_loss,
    reconstruction_loss,
)
from tests.tools import RandomBatches, arguments, spec

VARIANTS = [TwoStep, TwoStepExemplar, TwoStepRoles]


class Recorded(RandomBatches):
    """Batches that are remembered; `views` limits the views that occur."""

    def __init__(self, of: ModelSpec, views: int = 5) -> None:
        super().__init__(of)
        self.views, self.seen = views, list[Batch]()

    def draw(self) -> Batch:
        batch = super().draw()
        self.seen.append(batch._replace(view=batch.view % self.views))
        return self.seen[-1]


def ready(kind: type[Disentangler], fabric: Fabric, of: ModelSpec | None = None) -> Disentangler:
    torch.manual_seed(0)
    model = kind(of or spec())
    model.setup(fabric)
    model.train()
    return model


def finished(kind: type[Disentangler], fabric: Fabric, views: int = 5) -> tuple[Disentangler, Recorded]:
    """A barely trained model after `finish`, and the batches that `finish` drew: three, then another three."""
    of = spec(batch_size=8)
    model = ready(kind, fabric, of)
    for progress in (0.3, 0.6):
        model.cycle(RandomBatches(of), fabric, progress)
    batches = Recorded(of, views)
    model.finish(batches)
    model.eval()
    return model, batches


def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    """Mean over the batch of -log of the softmax's probability of the label."""
    odds = np.exp(logits.detach().double().numpy())
    return float(-np.mean([np.log(row[label] / row.sum()) for row, label in zip(odds, labels, strict=True)]))


def decoded_from(model: Disentangler, image: Tensor, code: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The S and the Z that `generate` gives to the decoder."""
    given: list[Tensor] = []
    hook = model.decoder.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    with torch.no_grad():
        model.generate(image, code, noise)
    hook.remove()
    return given[0][:, :-128], given[0][:, -128:]


def test_reconstruction_loss() -> None:
    image, rebuilt = arguments(spec())[0], arguments(spec(), seed=1)[0]
    pixels = image.double().numpy()
    expected = np.mean((rebuilt.double().numpy() - pixels) ** 2) / np.mean((pixels - pixels.mean()) ** 2)
    assert reconstruction_loss(image, rebuilt).item() == pytest.approx(expected, rel=1e-5)


def test_confusion_below_and_above_a_guess() -> None:
    label = torch.tensor([1, 0, 2])
    right = 0.1 * torch.randn(3, 4) + torch.nn.functional.one_hot(label, 4)
    wrong = (-9 * torch.nn.functional.one_hot(label, 4).float()).requires_grad_()
    assert confusion(right, label).item() == pytest.approx(cross_entropy(right, label), rel=1e-5)
    assert cross_entropy(wrong, label) > math.log(4)
    paid = confusion(wrong, label)
    assert paid.item() == pytest.approx(math.log(4))
    (gradient,) = torch.autograd.grad(paid, wrong)
    assert not gradient.any()


@pytest.mark.parametrize(("classes", "weight"), [(10, 1.0), (100, 0.5), (1181, 2.302585 / 7.074117)])
def test_the_weight_of_the_adversary_falls_with_the_classes(classes: int, weight: float) -> None:
    loss = generator_loss(torch.tensor(0.3), torch.tensor(1.7), classes)
    assert loss.item() == pytest.approx(5 * 0.3 - weight * 1.7, rel=1e-5)


@pytest.mark.parametrize("kind", [TwoStep, TwoStepRoles])
def test_the_first_step_trains_s_and_its_classifier(kind: type[Disentangler], fabric: Fabric) -> None:
    model, image = ready(kind, fabric), arguments(spec())[0]
    logits = model.classifier(model.specified(image))
    found = model.reader(image)
    of_identity, of_view = (None, logits) if kind is TwoStepRoles else (logits, None)
    assert logits.shape == (4, 5 if kind is TwoStepRoles else 7)
    for got, expected in zip(found, (of_identity, of_view), strict=True):
        assert (got is None) == (expected is None)
        assert got is None or torch.equal(got, expected)
    built = kind.warm_start_network(spec()).state_dict()
    sized_model = kind(sized(kind, spec()))
    assert {key: value.shape for key, value in sized_model.reader.state_dict().items()} == {
        key: value.shape for key, value in built.items()
    }
    assert kind.warm_start == WarmStart("reader", epochs=40, learning_rate=1e-4, betas=(0.9, 0.999))


@pytest.mark.parametrize("kind", [TwoStep, TwoStepRoles])
def test_the_second_step_by_hand(kind: type[Disentangler], fabric: Fabric) -> None:
    model, batches = ready(kind, fabric, spec(learning_rate_factor=3.0)), Recorded(spec())
    hand = deepcopy(model)
    losses = model.cycle(batches, fabric, 0.5).losses
    assert len(batches.seen) == 4
    for batch in batches.seen:
        label = batch.view if kind is TwoStepRoles else batch.identity
        error = torch.nn.functional.cross_entropy(hand.adversary(hand.unspecified(batch.image).detach()), label)
        weights = list(hand.adversary.parameters())
        with torch.no_grad():
            for weight, gradient in zip(weights, torch.autograd.grad(error, weights), strict=True):
                weight -= 0.03 * gradient
    for mine, other in zip(model.adversary.parameters(), hand.adversary.parameters(), strict=True):
        torch.testing.assert_close(mine, other)
    code, specified = hand.unspecified(batch.image), hand.specified.eval()(batch.image)
    latent = torch.cat([specified, code], 1)
    rebuilt = hand.decoder(latent, specified, [None] * 4).detach().numpy()
    share = np.mean((rebuilt - batch.image.numpy()) ** 2) / np.var(batch.image.numpy())
    classes = 5 if kind is TwoStepRoles else 7
    paid = min(cross_entropy(hand.adversary(code), label), np.log(classes))
    expected = {"adversary": error.item(), "reconstruction": share}
    expected["generator"] = 5 * share - np.log(10) / np.log(classes) * paid
    assert {key: value.item() for key, value in losses.items()} == pytest.approx(expected, rel=1e-3)


def test_optimisers(fabric: Fabric) -> None:
    model = ready(TwoStep, fabric, spec(learning_rate_factor=5.0))
    found = {name: optimizer.param_groups[0] for name, optimizer in model.optimizers.items()}
    for name in ("unspecified", "decoder"):
        assert (found[name]["lr"], found[name]["betas"]) == (pytest.approx(5e-4), (0.5, 0.999))
    assert found["adversary"]["lr"] == pytest.approx(0.05)
    assert found["adversary"]["momentum"] == found["adversary"]["weight_decay"] == 0
    assert set(found) == {"unspecified", "decoder", "adversary"}


def changed(before: dict[str, Tensor], model: nn.Module) -> set[str]:
    return {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


def networks(keys: set[str]) -> set[str]:
    return {key.partition(".")[0] for key in keys}


@pytest.mark.parametrize("kind", [TwoStep, TwoStepRoles])
@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_what_moves(kind: type[Disentangler], progress: float, fabric: Fabric) -> None:
    model, batches = ready(kind, fabric), RandomBatches(spec())
    before, moving = deepcopy(model.state_dict()), {"unspecified", "decoder", "adversary"}
    report = model.cycle(batches, fabric, progress)
    moved = changed(before, model)
    assert networks(moved) == moving  # buffers too: the statistics of a frozen S stay
    assert {name for name, _ in model.named_parameters() if name.partition(".")[0] in moving} <= moved
    assert {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None} <= moving
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert (report.images, batches.drawn) == (4, 4)


def test_the_adversary_takes_four_steps_and_rests_in_the_fifth(fabric: Fabric) -> None:
    model = ready(TwoStep, fabric)
    steps: list[str] = []
    after: list[Tensor] = []
    for name, optimizer in model.optimizers.items():

        def note(*_: object, name: str = name) -> None:
            steps.append(name)
            after.append(nn.utils.parameters_to_vector(model.adversary.parameters()).detach().clone())

        optimizer.optimizer.register_step_post_hook(note)
    model.cycle(RandomBatches(spec()), fabric, 0.9)
    assert steps == ["adversary"] * 4 + ["unspecified", "decoder"]
    assert len({tuple(weights.tolist()) for weights in after[:4]}) == 4
    assert torch.equal(after[3], after[5])


def seeded_cycles(model: ViewModel, batches: RandomBatches, fabric: Fabric, cycles: range, of: int = 8) -> None:
    for cycle in cycles:
        torch.manual_seed(100 + cycle)
        model.cycle(batches, fabric, cycle / of)


def done(model: ViewModel, batches: RandomBatches) -> dict[str, Tensor]:
    torch.manual_seed(200)
    model.finish(batches)
    return model.state_dict()


@pytest.mark.parametrize("stop", [1, 5])
def test_resumed_training_is_exact(stop: int, fabric: Fabric, tmp_path: Path) -> None:
    batches = RandomBatches(spec())
    whole, first = ready(TwoStep, fabric), ready(TwoStep, fabric)
    seeded_cycles(whole, batches, fabric, range(8))
    seeded_cycles(first, batches, fabric, range(stop))
    checkpoint.save(first, checkpoint.Progress(stop, 4 * stop), tmp_path / "state.pt")
    torch.manual_seed(99)
    second = TwoStep(spec())
    second.setup(fabric)
    checkpoint.restore(second, tmp_path / "state.pt", torch.device("cpu"))
    second.train()
    seeded_cycles(second, batches, fabric, range(stop, 8))
    expected, resumed = done(whole, batches), done(second, batches)
    assert all(torch.equal(resumed[key], value) for key, value in expected.items())


def test_statistics_are_measured_on_reconstructions(fabric: Fabric) -> None:
    of = spec(batch_size=8)
    model, batches = ready(TwoStep, fabric, of), Recorded(of)
    model.cycle(batches, fabric, 0.0)
    frozen = deepcopy(model.specified.state_dict())
    norms = {
        "unspecified": model.unspecified.trunk.levels[1][0][1],
        "decoder": model.decoder.levels[1].layers[0].norm,
    }
    inputs: dict[str, list[Tensor]] = {name: [] for name in norms}
    for name, norm in norms.items():
        norm.register_forward_pre_hook(lambda _, x, name=name: inputs[name].append(x[0]))
    model.finish(batches)
    for name, norm in norms.items():
        means = torch.stack([x.mean((0, 2, 3)) for x in inputs[name][:3]]).mean(0)
        torch.testing.assert_close(norm.running_mean, means)
    assert not changed(frozen, model.specified)


def plain_codes(encoder: nn.Module, batches: list[Batch], view: int) -> "np.ndarray[tuple[int, int], np.dtype]":
    found = []
    with torch.no_grad():
        for batch in batches:
            for image, own in zip(batch.image, batch.view, strict=True):
                if own == view:
                    found.append(encoder(image[None])[0].double().numpy())
    return np.array(found)


def test_prototypes_are_means_and_deviations(fabric: Fabric) -> None:
    model, batches = finished(TwoStep, fabric)
    assert len(batches.seen) == 6
    for view in range(5):
        codes = plain_codes(model.unspecified, batches.seen[3:], view)
        np.testing.assert_allclose(model.means[view], codes.mean(0), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(model.deviations[view], codes.std(0), rtol=1e-3, atol=1e-5)


def test_mixed_codes_and_spread(fabric: Fabric) -> None:
    model, _ = finished(TwoStep, fabric)
    image, _, noise = arguments(spec(), count=2)
    code = torch.tensor([[0.25, 0.75, 0, 0, 0], [0, 0, 0, 1.0, 0]])
    means = torch.stack([0.25 * model.means[0] + 0.75 * model.means[1], model.means[3]])
    scatter = torch.stack([0.25 * model.deviations[0] + 0.75 * model.deviations[1], model.deviations[3]])
    specified, unspecified = decoded_from(model, image, code, noise)
    torch.testing.assert_close(unspecified, means)
    torch.testing.assert_close(specified, model.specified(image).detach())
    assert torch.equal(model.generate(image, code, noise), model.generate(image, code, -noise))
    model.spread = 0.5
    torch.testing.assert_close(decoded_from(model, image, code, noise)[1], means + 0.5 * scatter * noise)
    model.diversify()
    torch.testing.assert_close(decoded_from(model, image, code, noise)[1], means + scatter * noise)
    assert TwoStep.spread == 0


def test_codes_of_a_view_that_does_not_occur() -> None:
    codes = torch.randn(4, 3)
    first, second, third = codes_by_view(codes, torch.tensor([0, 2, 0, 2]), 3)
    assert torch.equal(first, codes[[0, 2]])
    assert torch.equal(second, codes)
    assert torch.equal(third, codes[[1, 3]])


@pytest.mark.parametrize("kind", VARIANTS)
def test_a_view_that_was_never_drawn(kind: type[Disentangler], fabric: Fabric) -> None:
    model, batches = finished(kind, fabric, views=3)
    assert all(buffer.isfinite().all() for buffer in model.buffers())
    image, _, noise = arguments(spec())
    with torch.no_grad():
        assert model.generate(image, torch.eye(5)[[4] * 4], noise).isfinite().all()
    if kind is TwoStep:
        every = np.concatenate([plain_codes(model.unspecified, batches.seen[3:], view) for view in range(3)])
        np.testing.assert_allclose(model.means[4], every.mean(0), rtol=1e-3, atol=1e-5)


def test_exemplars_are_codes_of_their_view(fabric: Fabric) -> None:
    model, batches = finished(TwoStepExemplar, fabric)
    assert model.bank.shape == (5, 64, 128)
    for view in range(5):
        codes = plain_codes(model.unspecified, batches.seen[3:], view)
        expected = codes[np.arange(64) % len(codes)]  # fewer than 64 were drawn: they repeat
        np.testing.assert_allclose(model.bank[view], expected, rtol=1e-3, atol=1e-4)


def test_exemplars_are_chosen_uniformly() -> None:
    noise = torch.randn(64_000, generator=torch.Generator().manual_seed(0))
    chosen = exemplar_of(noise, 64)
    assert chisquare(torch.bincount(chosen, minlength=64).numpy()).pvalue > 0.01
    assert torch.equal(chosen, exemplar_of(noise, 64))
    assert exemplar_of(torch.tensor([-40.0, -1e-6, 1e-6, 40.0]), 64).tolist() == [0, 31, 32, 63]


def test_exemplars_are_mixed_by_the_code(fabric: Fabric) -> None:
    model, _ = finished(TwoStepExemplar, fabric)
    image, _, noise = arguments(spec(), count=2)
    code = torch.tensor([[0, 1.0, 0, 0, 0], [0, 0, 0.3, 0, 0.7]])
    first, second = exemplar_of(noise[:, 0], 64).tolist()
    expected = torch.stack([model.bank[1, first], 0.3 * model.bank[2, second] + 0.7 * model.bank[4, second]])
    specified, unspecified = decoded_from(model, image, code, noise)
    torch.testing.assert_close(unspecified, expected)
    torch.testing.assert_close(specified, model.specified(image).detach())
    others = torch.cat([noise[:, :1], torch.randn(2, 127)], 1)
    assert torch.equal(decoded_from(model, image, code, others)[1], unspecified)


def test_traded_roles(fabric: Fabric) -> None:
    model, batches = finished(TwoStepRoles, fabric)
    for view in range(5):
        codes = plain_codes(model.specified, batches.seen[3:], view)
        np.testing.assert_allclose(model.means[view], codes.mean(0), rtol=1e-3, atol=1e-5)
    image, _, noise = arguments(spec(), count=2)
    code = torch.tensor([[0.5, 0, 0.5, 0, 0], [0, 1.0, 0, 0, 0]])
    specified, unspecified = decoded_from(model, image, code, noise)
    torch.testing.assert_close(specified, torch.stack([(model.means[0] + model.means[2]) / 2, model.means[1]]))
    torch.testing.assert_close(unspecified, model.unspecified(image).detach())
    assert torch.equal(model.generate(image, code, noise), model.generate(image, code, -noise))


@pytest.mark.parametrize("kind", VARIANTS)
def test_encoders_and_decoder_count_as_generator(kind: type[Disentangler]) -> None:
    wanted = ModelSpec(64, views=5, identities=50, width=0.25)
    with torch.device("meta"):
        model, reference = kind(sized(kind, wanted)), Ours(wanted)
    parts = (model.specified, model.unspecified, model.decoder)
    assert generator_parameters(model) == sum(p.numel() for part in parts for p in part.parameters())
    assert abs(generator_parameters(model) / generator_parameters(reference) - 1) <= tolerance(64)
    hidden = 64 * 64 + 2 * 64  # no bias before batch norm
    size, classes = model.classifier[0].in_features, model.classes
    ends = (size * 64 + 128) + (128 * 64 + 128) + 2 * (64 * classes + classes)
    assert discriminator_parameters(model) == ends + hidden + 2 * hidden


def test_mixed_precision() -> None:
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    model = ready(TwoStep, fabric)
    report = model.cycle(RandomBatches(spec()), fabric, 0.0)
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in report.losses.values())
    assert all(p.dtype == torch.float32 for p in model.parameters())


class Painted(RandomBatches):
    """The identity's colour over the view's pattern, which varies in strength."""

    def __init__(self, of: ModelSpec) -> None:
        super().__init__(of)
        random = torch.Generator().manual_seed(5)
        self.colours = torch.rand(of.identities, 3, 1, 1, generator=random) - 0.5
        patterns = torch.rand(of.views, 1, 4, 4, generator=random) - 0.5
        self.patterns = nn.functional.interpolate(patterns, of.image_size)

    def draw(self) -> Batch:
        count, side = self.spec.batch_size, self.spec.image_size
        identity, view = torch.randint(self.spec.identities, (count,)), torch.randint(self.spec.views, (count,))
        strength = 0.7 + 0.6 * torch.rand(count, 1, 1, 1)
        image = self.colours[identity] + strength * self.patterns[view] + 0.05 * torch.randn(count, 3, side, side)
        return Batch(image.clamp(-1, 1), identity, view)


def probed(encoder: nn.Module, batches: Painted, label: str) -> float:
    """Return how often a fresh linear classifier of the codes reads the label of images it has not seen."""
    codes, labels = [], []
    for _ in range(20):
        batch = batches.draw()
        with torch.no_grad():
            codes.append(encoder(batch.image))
        labels.append(getattr(batch, label))
    x, y = torch.cat(codes).numpy(), torch.cat(labels).numpy()
    x = (x - x.mean(0)) / (x.std(0) + 1e-9)
    return float(LogisticRegression(max_iter=300).fit(x[:320], y[:320]).score(x[320:], y[320:]))


def test_a_probe_reads_the_identity_from_s_but_hardly_from_z(fabric: Fabric) -> None:
    """Seeds 0 to 6 gave 1.0 for S and 0.53 to 0.69 for Z; unpaid for misleading the adversary, Z gave 0.83 to 0.97."""
    of = ModelSpec(8, views=5, identities=6, width=0.125, batch_size=32, learning_rate_factor=15, refresh_batches=10)
    model, batches = ready(TwoStep, fabric, of), Painted(of)
    none = np.zeros(1, np.int64)
    held_out = HeldOut(np.zeros((1, 8, 8, 3), np.uint8), none, none, none)
    recipe = {"steps": 75, "epoch": 75, "view_weight": 1.0, "learning_rate_factor": 15.0}
    warm_up(model.reader, batches, held_out, fabric, terms=TwoStep.warm_start, **recipe)
    seeded_cycles(model, batches, fabric, range(225))
    model.finish(batches)
    assert probed(model.specified, batches, "identity") > 0.95
    assert probed(model.unspecified, batches, "identity") < 0.76
    assert probed(model.unspecified, batches, "view") > 0.95
