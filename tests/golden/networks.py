"""Small stand-ins for the two ResNet18 of the measurement, with the same shapes going in and out."""

from collections import OrderedDict

from torch import nn

from benchmark.evaluation.resnet import FEATURES

VIEWS = 5


def identity_network(last: nn.Module | None = None) -> nn.Sequential:
    """Return (B, 3, S, S) -> (B, 512), in the order of a ResNet18: trunk, pooling, and `fc`, which is left out."""
    trunk = nn.Sequential(*_block(3, 16, 1), *_block(16, 24, 2), *_block(24, 32, 2), nn.Conv2d(32, FEATURES, 1))
    layers = {"trunk": trunk, "relu": nn.ReLU(), "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict(layers, fc=last or nn.Identity()))


def view_network() -> nn.Sequential:
    """Return (B, 3, S, S) -> (B, 5), logits of the views."""
    pooled = nn.AdaptiveAvgPool2d(2), nn.Flatten()
    return nn.Sequential(*_block(3, 8, 2), *_block(8, 16, 2), *pooled, nn.Linear(16 * 2**2, VIEWS))


def _block(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
