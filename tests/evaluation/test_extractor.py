"""The two ResNet18 of the measurement."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.data.pixels import to_float
from benchmark.errors import BenchmarkError
from benchmark.evaluation.extractor import Course, Labelled, State, balance, fit, mean_recall, recalls
from benchmark.evaluation.resnet import CHUNK, Convolution, Images, Rows, augmentation, network, pooled_features
from benchmark.making import judge

CPU = torch.device("cpu")


def stripes(count: int = 144) -> tuple[Images, Rows]:
    """Noise under upright (class 0) or lying (class 1) stripes."""
    random = np.random.default_rng(0)
    images = random.integers(0, 60, (count, 32, 32, 3))
    labels = random.integers(2, size=count)
    bars = np.arange(32) // 4 % 2 * 150
    for image, label in zip(images, labels, strict=True):
        image += bars[:, None, None] if label else bars[None, :, None]
    return images.astype(np.uint8), labels


def labelled(rows: Rows) -> Labelled:
    labels = stripes()[1][rows]
    return Labelled(rows, labels, balance(labels, np.zeros_like(labels)))


def trained(rows: Rows, epochs: int, held_out: Rows | None = None, **further: Any) -> tuple[nn.Module, Course]:
    kept = Labelled(*2 * [np.empty(0, np.int64)]) if held_out is None else labelled(held_out)
    recipe = {"epochs": epochs, "batch_size": 16, "learning_rate": 0.02, "stem": "stock"}
    return fit(stripes()[0], labelled(rows), kept, 2, CPU, "test", **recipe, **further)


@pytest.mark.parametrize("side", [32, 33, 64])
@pytest.mark.parametrize("stem", ["stock", "small"])
def test_a_network_is_torchvisions(stem: str, side: int) -> None:
    """It leaves out what meets padding alone, and changes neither the logits nor the weights' gradients."""
    torch.manual_seed(0)
    spared, images = network(3, stem).double(), torch.randn(5, 3, side, side, dtype=torch.float64)
    plain = copy.deepcopy(spared)
    for module in plain.modules():
        if isinstance(module, Convolution):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
    found = [each(images) for each in (spared, plain)]
    for logits in found:
        logits.square().sum().backward()
    assert torch.allclose(*found)
    for own, other in zip(spared.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad)


def test_training_learns() -> None:
    rows, others = np.arange(112), np.arange(112, 144)
    resnet, course = trained(rows, epochs=8)
    assert not resnet.training
    assert (course.epoch, course.falls_from, course.converged) == (8, 6, False)
    assert mean_recall(recalls(resnet, stripes()[0], labelled(others), 2, CPU)) > 0.9


def test_training_repeats() -> None:
    first, second = (trained(np.arange(16), epochs=1)[0].state_dict() for _ in range(2))
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


@pytest.mark.parametrize("stop", [1, 2, 4])
def test_training_resumes_exactly(stop: int) -> None:
    """After any epoch, also while the rate falls; 4 of 5 epochs are before the fall's last."""
    rows, kept = np.arange(48), np.arange(48, 64)
    whole, course = trained(rows, 5, kept)
    states: list[State] = []

    def ended(state: Callable[[], State]) -> None:
        states.append(copy.deepcopy(state()))
        if len(states) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(rows, 5, kept, after_epoch=ended)
    resumed, again = trained(rows, 5, kept, resume=states[-1])
    assert again == course
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


def test_the_rate_falls_when_the_accuracy_no_longer_rises() -> None:
    course, rates = Course(limit=100), []
    for accuracy in [0.1, 0.5, 0.6, 0.7, *[0.7, 0.65] * 20]:
        if course.epoch >= course.last:
            break
        rates.append(course.factor(course.epoch))
        course.done(1.0, accuracy)
    assert (course.falls_from, course.epoch, course.converged) == (9, 14, True)  # five after the best, the fourth
    assert rates == pytest.approx([1.0] * 10 + [0.8, 0.6, 0.4, 0.2])
    assert course.factor(14) == 0


def test_the_rate_falls_in_time_where_the_accuracy_rises_to_the_end() -> None:
    course = Course(limit=12)
    for epoch in range(12):
        course.done(1.0, epoch / 12)
    assert (course.falls_from, course.last, course.converged) == (8, 12, False)


def test_the_rate_stays_while_the_loss_falls_though_the_accuracy_is_at_chance() -> None:
    course = Course(limit=100)
    for epoch in range(30):
        course.done(5.0 * 0.98**epoch, 0.01)
    assert course.falls_from is None
    for _ in range(5):
        course.done(5.0 * 0.98**29 * 0.995, 0.01)  # lower by half a percent, which does not count
    assert course.falls_from == 35


def test_losses_of_epochs_without_an_evaluation_do_not_count() -> None:
    course = Course(limit=100)
    for loss in (5.0, 1.0, 4.0):
        course.done(loss, None if loss == 1.0 else 0.1)
    assert (course.loss, course.waited) == (4.0, 0)


def test_weights_balance_labels_and_what_each_is_seen_from() -> None:
    views = np.array([0] * 10 + [1] * 4 + [0] * 2)
    identities = np.array([0] * 8 + [1] * 2 + [0] * 4 + [2] * 2)
    weights = balance(views, identities)
    assert weights.mean() == pytest.approx(1)
    assert weights[views == 0].sum() == pytest.approx(weights[views == 1].sum())
    of_cell = [weights[(views == 0) & (identities == identity)].sum() for identity in range(3)]
    assert of_cell == pytest.approx([of_cell[0]] * 3)


def test_recalls_by_a_plain_loop() -> None:
    images, labels = stripes(300)
    torch.manual_seed(0)
    resnet = network(3, "stock").train()
    rows = np.arange(299, -1, -3)
    resnet.eval()
    with torch.no_grad():
        right = np.array([int(resnet(to_float(images[row : row + 1])).argmax()) == labels[row] for row in rows])
    resnet.train()
    found = recalls(resnet, images, Labelled(rows, labels[rows]), 3, CPU)
    assert resnet.training
    assert found[:2] == pytest.approx([right[labels[rows] == label].mean() for label in (0, 1)])
    assert np.isnan(found[2])
    assert mean_recall(found) == pytest.approx(found[:2].mean())
    assert np.isnan(mean_recall(recalls(resnet, images, Labelled(rows[:0], labels[:0]), 3, CPU)))


@pytest.mark.parametrize("stem", ["stock", "small"])
def test_features_are_those_of_the_last_pooling_layer(stem: str) -> None:
    torch.manual_seed(0)
    resnet = network(4, stem).eval()
    images = torch.randn(3, 3, 32, 32)
    features = pooled_features(resnet, images)
    assert features.shape == (3, 512)
    with torch.no_grad():
        torch.testing.assert_close(resnet.fc(features), resnet(images))


def test_the_small_stem_keeps_the_resolution() -> None:
    sides = {}
    for stem in ("stock", "small"):
        resnet = network(2, stem).eval()
        x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(torch.zeros(1, 3, 32, 32)))))
        sides[stem] = x.shape[-1]
    assert sides == {"stock": 8, "small": 32}


def test_augmentation_changes_groups_of_images_and_keeps_the_range() -> None:
    torch.manual_seed(0)
    images = torch.rand(2 * CHUNK, 3, 32, 32) * 2 - 1
    changed = augmentation(32)(images)
    assert changed.shape == images.shape
    assert changed.abs().max() <= 1 + 1e-6
    assert all(not torch.equal(a, b) for a, b in zip(images, changed, strict=True))


def test_augmentation_never_flips() -> None:
    torch.manual_seed(0)
    left = -torch.ones(CHUNK, 3, 32, 32)
    left[..., :16] = 1.0
    for _ in range(20):
        changed = augmentation(32)(left)
        assert (changed[..., :8].mean((1, 2, 3)) > changed[..., 24:].mean((1, 2, 3))).all()


def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    assert judge._resumed(tmp_path / "checkpoint.pt", CPU) is None
    for content in (b"damaged", b""):
        (tmp_path / "checkpoint.pt").write_bytes(content)
        with pytest.raises(BenchmarkError, match=r"checkpoint\.pt is damaged or not of this version") as error:
            judge._resumed(tmp_path / "checkpoint.pt", CPU)
        assert "\n" not in str(error.value)
    torch.save({"course": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(BenchmarkError, match="KeyError"):
        judge._resumed(tmp_path / "checkpoint.pt", CPU)
