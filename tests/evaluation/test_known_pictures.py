"""The measurement on drawn pictures: blur is seen through the networks as it is on features."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms.v2.functional import gaussian_blur

from benchmark.evaluation.generate import Generate
from benchmark.evaluation.outputs import Networks, Outputs, measure, pairs
from tests.evaluation.planted import CLASSES, VIEWS, World

SIZE, PERIOD = 32, 6.0  # pixels of a picture, and of the stripes that show its view
TABLE = World().manifest
CLASS = torch.tensor(TABLE["identity"].astype("category").cat.codes.to_numpy(np.int64))


def pictures(classes: Tensor, view: Tensor) -> Tensor:
    """Return pictures (B, 3, S, S): fine patches show the class, the direction of stripes the view; light varies."""
    fixed = torch.Generator().manual_seed(0)
    patches = torch.randn(CLASSES, 3, SIZE // 2, SIZE // 2, generator=fixed)
    patches = patches.repeat_interleave(2, 2).repeat_interleave(2, 3)
    angle = torch.arange(VIEWS).view(-1, 1, 1) * torch.pi / VIEWS
    row, column = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    stripes = torch.sin(2 * torch.pi / PERIOD * (row * angle.sin() + column * angle.cos()))  # (VIEWS, S, S)
    light = F.interpolate(torch.randn(len(classes), 3, 4, 4), size=SIZE, mode="bilinear")
    return (0.3 * patches[classes] + 0.2 * stripes[view, None] + 0.3 * light).clamp(-1, 1)


class Nearest(nn.Module):
    """Tells the view by the nearest of the mean pictures of all views."""

    def __init__(self) -> None:
        super().__init__()
        own = torch.tensor(TABLE["view_label"].to_numpy(np.int64))
        drawn = pictures(CLASS, own).flatten(1)
        self.means = torch.stack([drawn[own == view].mean(0) for view in range(VIEWS)])

    def forward(self, images: Tensor) -> Tensor:
        return -torch.cdist(images.flatten(1), self.means)


@pytest.fixture
def networks() -> Iterator[Networks]:
    """An untrained convolution with 512 features for the identity; nearest mean pictures for the view."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 32, 5, 2, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Identity())
        yield Networks(nn.Sequential(*layers).eval(), Nearest())


def described(networks: Networks, sigma: float, own_view_only: bool = False) -> Outputs:
    """Return what the networks make of true pictures of every class from every view, blurred."""
    position, target = pairs(TABLE, VIEWS, own_view_only)

    def turn(positions: np.ndarray, view: int) -> Tensor:
        drawn = pictures(CLASS[positions], torch.full((len(positions),), view))
        return gaussian_blur(drawn, [2 * int(3 * sigma) + 1] * 2, [sigma] * 2) if sigma else drawn

    def uncompared(images: Tensor, positions: np.ndarray, view: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(images), np.float32), np.zeros(len(images), np.float32)

    answer: Generate = turn
    return measure(answer, position, target, networks, uncompared, 256, torch.device("cpu"))


def test_rising_blur_of_pictures_lowers_identity_view_and_joint(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    real = described(networks, 0, own_view_only=True)
    monkeypatch.setattr(World, "real", lambda world: real)
    found = pd.DataFrame([World().rates(described(networks, sigma)) for sigma in (0, 2, 4)])
    shown = (f"{rate} {' > '.join(f'{value:.1%}' for value in found[rate])}" for rate in ("top1", "view", "joint"))
    say(f"blurred pictures: {'; '.join(shown)}")
    assert (found[["top1", "view", "joint"]].diff().dropna() < -0.02).all(axis=None)
