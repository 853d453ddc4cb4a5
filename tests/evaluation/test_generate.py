"""Generating images: the controls, trained models, and the one noise of an image."""

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.evaluation import generate
from benchmark.evaluation.samples import sample_columns, tiles
from tests.evaluation.conftest import VIEWS
from tests.tiny import Tiny
from tests.tools import spec

KEY_OF_BLACK = 6492224576833844746  # of two by two pixels, the same on every machine


def test_copy_gives_the_input(store: ImageStore) -> None:
    positions = np.array([29, 18, 20])
    for view in range(VIEWS):
        copied = generate.copy(store)(positions, view)
        for image, position in zip(copied, positions, strict=True):
            expected = to_float(store.images[[29 - position]])[0]
            assert torch.equal(image, expected)


@pytest.mark.parametrize("chunk", [2, generate.CHUNK])
def test_mean_image_by_a_plain_loop(store: ImageStore, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(generate, "CHUNK", chunk)
    for view in range(VIEWS):
        total, count = np.zeros((8, 8, 3)), 0
        for position in range(14):
            if position % VIEWS == view:
                total, count = total + store.images[29 - position], count + 1
        expected = torch.from_numpy(total / count / 127.5 - 1).permute(2, 0, 1).float()
        images = generate.mean_image(store)(np.array([20, 21]), view)
        assert images.shape == (2, 3, 8, 8)
        for image in images:
            torch.testing.assert_close(image, expected, rtol=1e-5, atol=1e-5)


def test_noise_depends_on_position_and_view_alone() -> None:
    together = generate.noise(np.array([5, 9, 7]), 1)
    assert together.shape == (3, 128)
    assert together.dtype == torch.float32
    assert torch.equal(together[1], generate.noise(np.array([9]), 1)[0])
    torch.manual_seed(3)
    np.random.seed(3)
    assert torch.equal(together, generate.noise(np.array([5, 9, 7]), 1))
    assert not torch.equal(together, generate.noise(np.array([5, 9, 7]), 2))
    assert len({tuple(row.tolist()) for row in together}) == 3


def test_noise_is_standard_normal() -> None:
    noise = generate.noise(np.arange(200), 0)
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)


class Echo(Tiny):
    """Says in its output what it was given."""

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        view, first = (part[:, None, None].expand(-1, 8, 8) for part in (view_code.argmax(1) * 10.0, noise[:, 0]))
        return torch.stack([image[:, 0], view, first / 10], 1)


def test_a_trained_generator_gets_image_code_and_noise(store: ImageStore) -> None:
    answer = generate.trained(Echo(spec(views=VIEWS)).train(), store)
    positions = np.array([20, 25])
    images = answer(positions, 0)
    assert torch.equal(images[:, 0], generate.inputs(store, positions)[:, 0])
    torch.testing.assert_close(images[:, 2, 0, 0], generate.noise(positions, 0)[:, 0] / 10)
    assert (answer(positions, 1)[:, 1] == 1).all()  # ten, cut off at one


class Noisy(Tiny):
    """Draws little but its noise."""

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        drawn = 0.1 * (noise[:, 0] + view_code.argmax(1))[:, None, None, None]
        return image / 2 + drawn


def test_one_model_makes_one_picture_of_an_image_whatever_it_is_for(store: ImageStore) -> None:
    model, positions = Noisy(spec(views=VIEWS)).eval(), np.array([29, 18, 20])
    answer = generate.trained(model, store)
    shown = sample_columns(answer, store, VIEWS, positions)
    drawn = generate.generate_views(model, to_float(store.at(positions)), positions)
    assert np.array_equal(tiles(shown[1:]), tiles(drawn))
    assert np.array_equal(tiles(shown)[:, 0], store.at(positions))
    alone = generate.generate_views(model, to_float(store.at(positions[1:2])), positions[1:2])
    assert np.array_equal(tiles(alone)[0], tiles(drawn)[1])
    assert np.array_equal(tiles([answer(positions, 2)]), tiles(drawn)[:, 2:])
    assert not np.array_equal(tiles(generate.generate_views(model, shown[0], positions + 1)), tiles(drawn))


def test_keys_of_pixels_depend_on_the_image_alone(store: ImageStore) -> None:
    keys = generate.pixel_keys(store.images)
    assert keys.dtype == np.int64
    assert len(set(keys.tolist())) == len(store.images)
    assert (keys >= 0).all()
    assert generate.pixel_keys(store.images[[7, 3]]).tolist() == [keys[7], keys[3]]
    assert generate.pixel_keys(np.zeros((1, 2, 2, 3), np.uint8)).tolist() == [KEY_OF_BLACK]
