"""Sharpness and KID on pictures and features of which the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import gaussian_blur

from benchmark.evaluation.outputs import Outputs, sharpness
from benchmark.evaluation.quality import kid, quality
from tests.evaluation.planted import VIEWS, WIDTH, World

RANDOM = np.random.default_rng(0)


def slow_kid(one: np.ndarray, other: np.ndarray) -> float:
    """Return KID pair by pair, as it is defined."""

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((sum(float(a) * float(b) for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3)

    def within(features: np.ndarray) -> float:
        return float(np.mean([kernel(x, y) for i, x in enumerate(features) for j, y in enumerate(features) if i != j]))

    return within(one) + within(other) - 2 * float(np.mean([kernel(x, y) for x in one for y in other]))


@pytest.mark.parametrize(("shift", "counts"), [(0.0, (7, 7)), (1.5, (5, 9)), (0.1, (2, 6))])
def test_kid_is_that_of_its_definition(shift: float, counts: tuple[int, int]) -> None:
    one, other = (RANDOM.normal(size=(count, WIDTH)).astype(np.float32) for count in counts)
    assert kid(one, other + np.float32(shift)) == pytest.approx(slow_kid(one, other + np.float32(shift)), rel=1e-4)


def test_kid_of_two_points_is_the_kernel_of_their_features() -> None:
    zeros, ones = np.zeros((4, WIDTH), np.float32), np.ones((6, WIDTH), np.float32)
    assert kid(zeros, ones) == pytest.approx(1**3 + 2**3 - 2 * 1**3)
    assert kid(ones, ones) == 0
    assert np.isnan(kid(ones[:1], zeros))


def test_real_images_are_at_zero_and_others_are_not() -> None:
    world = World()
    real = world.real()
    turns = world.oracle()
    copies = replace(turns, features=real.features[np.searchsorted(real.position, turns.position)])
    found = {
        "real": quality(real, real),
        "copy": quality(real, copies),
        "oracle": quality(real, turns),
        "swapped": quality(real, world.swapped(1.0)),  # another class in each picture, which looks as good
        "noisy": quality(real, world.noisy(1.5)),
        "noisier": quality(real, world.noisy(3.0)),
        "constant": quality(real, world.constant(np.zeros((VIEWS, WIDTH), np.float32))),
    }
    for name in ("real", "copy", "oracle", "swapped"):
        assert abs(found[name].kid) < 2 * found["real"].kid_sd, name
    assert found["noisy"].kid > 5 * found["real"].kid_sd
    assert found["noisier"].kid > 2 * found["noisy"].kid
    assert found["constant"].kid > 2 * found["noisy"].kid
    assert found["noisy"].kid == quality(real, world.noisy(1.5)).kid


def test_outputs_are_compared_with_as_many_real_images_of_each_view() -> None:
    world = World(view=3.0)
    real = world.real()
    kept = real.of(np.flatnonzero(np.arange(len(world.manifest)) % VIEWS < 2))  # two views, and every target asked for
    turns = world.oracle().of(kept.position)
    assert abs(quality(kept, turns).kid) < 2 * quality(kept, kept).kid_sd
    assert kid(turns.features, kept.features) > 10 * quality(kept, kept).kid_sd  # without that


def test_the_scale_of_the_features_does_not_count() -> None:
    world = World()
    real, made = world.real(), world.noisy(1.5)
    larger = [replace(each, features=100 * each.features) for each in (real, made)]
    assert quality(*larger).kid == pytest.approx(quality(real, made).kid, rel=1e-4)


def test_too_few_images_have_no_kid() -> None:
    real = World().real()
    assert np.isnan(quality(real.of(real.position[:3]), real.of(real.position[:3])).kid)


def squares(side: int = 16) -> torch.Tensor:
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return ((row + column) % 2 * 2.0 - 1).expand(1, 3, side, side)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    assert sharpness(squares()).item() == pytest.approx(8**2)  # the four neighbours less four times the pixel: +-8
    assert sharpness(squares() * torch.tensor([1.0, 0, 0]).view(3, 1, 1)).item() == pytest.approx((8 * 0.299) ** 2)
    assert sharpness(torch.full((2, 3, 16, 16), 0.5)).tolist() == pytest.approx([0, 0])
    slope = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16)
    assert sharpness(slope).item() == pytest.approx(0, abs=1e-9)


def test_blur_lowers_sharpness_and_noise_raises_it() -> None:
    pictures = torch.from_numpy(RANDOM.uniform(-1, 1, (6, 3, 8, 8)).astype(np.float32)).repeat_interleave(4, 2)
    pictures = pictures.repeat_interleave(4, 3)
    blurred = [sharpness(gaussian_blur(pictures, [9, 9], [sigma, sigma])) for sigma in (0.5, 1.0, 2.0)]
    for more, less in zip([sharpness(pictures), *blurred], blurred, strict=False):
        assert (less < 0.6 * more).all()
    assert (sharpness(pictures + 0.3 * torch.randn(pictures.shape)) > sharpness(pictures)).all()


def test_sharpness_is_relative_to_real_images_of_the_target_view() -> None:
    world = World()

    def sharp(outputs: Outputs, share: float) -> Outputs:
        return replace(outputs, sharpness=((1 + outputs.target) * share).astype(np.float32))  # views differ

    real = sharp(world.real(), 1.0)
    assert quality(real, real).sharpness == pytest.approx(1)
    assert quality(real, sharp(world.oracle(), 0.25)).sharpness == pytest.approx(0.25)
    two = real.of(np.flatnonzero(np.arange(len(world.manifest)) % VIEWS < 2))
    assert quality(two, sharp(world.oracle(), 0.5)).sharpness == pytest.approx(0.5)  # over views with real images alone
