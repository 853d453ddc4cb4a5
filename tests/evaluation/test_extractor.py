"""The two ResNet18 of the measurement."""

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.data.pixels import to_float
from benchmark.evaluation.extractor import accuracy, fit
from benchmark.evaluation.resnet import CHUNK, Images, Rows, augmentation, network, pooled_features
from benchmark.seeding import seed_global

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


def trained(rows: Rows, epochs: int) -> nn.Module:
    images, labels = stripes()
    seed_global("test")
    return fit(
        images, rows, labels[rows], 2, CPU, "test", epochs=epochs, batch_size=16, learning_rate=0.02, stem="stock"
    )


def test_training_learns() -> None:
    images, labels = stripes()
    rows, others = np.arange(112), np.arange(112, 144)
    resnet = trained(rows, epochs=8)
    assert not resnet.training
    assert accuracy(resnet, images, others, labels[others], CPU) > 0.9


def test_training_repeats() -> None:
    first, second = (trained(np.arange(16), epochs=1).state_dict() for _ in range(2))
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def test_accuracy_by_a_plain_loop() -> None:
    images, labels = stripes(300)
    torch.manual_seed(0)
    resnet = network(2, "stock").eval()
    rows = np.arange(299, -1, -3)
    with torch.no_grad():
        right = [int(resnet(to_float(images[row : row + 1])).argmax()) == labels[row] for row in rows]
    assert accuracy(resnet, images, rows, labels[rows], CPU) == pytest.approx(np.mean(right))
    assert np.isnan(accuracy(resnet, images, rows[:0], labels[:0], CPU))


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
