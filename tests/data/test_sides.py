"""Telling left from right: the descriptor, the weights of rendered cars, and self-training."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.data.sides import BINS, CELL, CELLS, CLIP, INNER, SIZE, SQUARE, describe, hog, learn, square
from benchmark.errors import BenchmarkError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (6, SQUARE, SQUARE), dtype=np.uint8)


def slow_hog(image: np.ndarray) -> np.ndarray:
    """Return the histograms of one image (INNER, INNER), pixel by pixel and cell by cell."""
    padded = np.pad(np.sqrt(image), 1, mode="edge")
    cells = np.zeros((CELLS, CELLS, BINS))
    for y, x in product(range(INNER), repeat=2):
        across, down = padded[y + 1, x + 2] - padded[y + 1, x], padded[y + 2, x + 1] - padded[y, x + 1]
        place = np.degrees(np.arctan2(down, across)) % 180 / (180 / BINS)
        lower, share = int(place), place % 1
        for orientation, part in ((lower, 1 - share), (lower + 1, share)):
            cells[y // CELL, x // CELL, orientation % BINS] += part * np.hypot(across, down)
    found = np.empty_like(cells)
    for row, column in product(range(CELLS), repeat=2):
        near = cells[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        found[row, column] = cells[row, column] / (np.sqrt((near**2).sum(2).mean()) + 1e-3)
    return np.minimum(found, CLIP)


def test_the_histograms_are_those_of_a_slow_reference() -> None:
    image = RNG.random((INNER, INNER))
    found = hog(torch.tensor(image, dtype=torch.float32)[None])[0].numpy()
    np.testing.assert_allclose(found, slow_hog(image), atol=1e-4)


def test_a_mirror_image_has_the_same_histograms_elsewhere() -> None:
    images = torch.tensor(RNG.random((4, INNER, INNER)), dtype=torch.float32)
    permuted = hog(images).flip(2)[..., [-number % BINS for number in range(BINS)]]
    np.testing.assert_allclose(hog(images.flip(2)), permuted, atol=1e-4)


def test_a_mirror_image_has_the_score_with_the_other_sign() -> None:
    weights = RNG.normal(size=SIZE).astype(np.float32)
    scores, mirrored = describe(NOISE) @ weights, describe(NOISE[:, :, ::-1].copy()) @ weights
    assert np.abs(scores).min() > 0.01
    np.testing.assert_allclose(mirrored[[0, 2, 1]], -scores, atol=1e-3)  # the mirror image of a shear is the other one


def test_a_shear_tilts_what_is_level() -> None:
    level = np.zeros((1, SQUARE, SQUARE), np.uint8)
    level[:, SQUARE // 2 :] = 255
    upright, down, up = describe(level)[:, 0]
    assert np.abs(upright).max() < 1e-4
    assert np.abs(down).max() > 0.1
    np.testing.assert_allclose(down, -up, atol=1e-4)


def test_learning_puts_right_what_the_start_has_wrong() -> None:
    """Cars are stripes that fall to the left or to the right; the start sees one in ten the wrong way round."""
    truth = np.where(np.arange(200) % 2, 1, -1).astype(np.int8)
    x, y = np.meshgrid(np.arange(SQUARE), np.arange(SQUARE))
    stripes = np.sin((x[None] * truth[:, None, None] + y + RNG.uniform(0, 9, (200, 1, 1))) / 2)
    squares = (127 + 60 * stripes + RNG.normal(0, 25, stripes.shape)).clip(0, 255).astype(np.uint8)
    begin = (describe(squares[:2], 1)[0, 1] + RNG.normal(0, 0.2, SIZE)).astype(np.float32)
    half, nothing = np.arange(200) // 2 % 2, np.zeros(200, np.int8)
    judges = learn(squares, half, nothing, begin)
    signs, confidence = judges.judge(squares, half)
    assert (signs == truth).all()
    assert confidence.min() > 0.6
    assert confidence.max() <= 1
    again = learn(squares, half, nothing, begin)
    assert np.array_equal(judges.weights, again.weights)
    by_hand = learn(squares, half, -truth, begin)  # whoever labels them so gets it so
    assert (by_hand.judge(squares, half)[0] == -truth).all()
    assert by_hand.agreement < 0.2 < 0.9 < judges.agreement


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_square_shows_the_box_a_little_widened(tmp_path: Path, suffix: str) -> None:
    picture = np.zeros((600, 800, 3), np.uint8)
    picture[200:400, 300:500] = 255
    path = tmp_path / f"car.{suffix}"
    Image.fromarray(picture).save(path)
    seen = square(path, (300, 200, 500, 400))
    assert (seen.dtype, seen.shape) == (np.uint8, (SQUARE, SQUARE))
    assert seen[5:-5, 5:-5].min() > 240
    edge = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    assert edge.max() < 30
    assert seen.mean() == pytest.approx(255 / 1.1**2, rel=0.05)


def test_a_square_is_upright(tmp_path: Path) -> None:
    """The box is that of the image as `decode` gives it, turned by the orientation in its EXIF data."""
    picture = np.zeros((800, 600, 3), np.uint8)  # stored on its side: upright it is 800 wide
    picture[:400] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    path = tmp_path / "car.jpg"
    Image.fromarray(picture).save(path, exif=exif)
    seen = square(path, (300, 0, 500, 600))
    assert seen[:, :24].mean() < 20
    assert seen[:, -24:].mean() > 235


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "car.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"car\.jpg"):
        square(path, (0, 0, 10, 10))


def test_a_box_outside_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "car.jpg"
    Image.new("RGB", (60, 40)).save(path)
    with pytest.raises(BenchmarkError, match=r"car\.jpg: the box \[70, 0, 90, 30\]"):
        square(path, (70, 0, 90, 30))
