"""Images that are added to the real ones of an episode."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float, to_uint8
from benchmark.evaluation import augmentation
from benchmark.evaluation.augmentation import (
    Condition,
    control,
    copies,
    examples,
    generated,
    interpolated_codes,
    nearest_views,
    noise,
)
from benchmark.evaluation.controls import OF_FEWSHOT
from tests.tiny import Tiny
from tests.tools import spec

CPU = torch.device("cpu")
COUNT, VIEWS = 4, 5


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """12 random images; row counts backwards, so that position and row differ."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", random.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8))
    return ImageStore(tmp_path, pd.DataFrame({"row": np.arange(12)[::-1]}))


class Mixed(Tiny):
    """Adds code and noise to the image, so that each argument can be told in the output."""

    wide = False

    def diversify(self) -> None:
        self.wide = True

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        shade = view_code @ torch.arange(float(view_code.shape[1])) / 100 + 0.05 * noise[:, 0] * self.wide
        return (image / 2 + shade[:, None, None, None]).clamp(-1, 1)


def test_the_codes_go_from_view_to_view() -> None:
    codes = interpolated_codes(20, VIEWS)
    for point, code in enumerate(codes):  # (1 - frac) e_floor + frac e_ceil at t = 0 .. N_a - 1
        along = point * (VIEWS - 1) / 19
        below = min(int(along), VIEWS - 2)
        expected = torch.zeros(VIEWS)
        expected[below], expected[below + 1] = 1 - (along - below), along - below
        torch.testing.assert_close(code, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("count", "views"), [(1, 5), (2, 2), (5, 5), (20, 9), (7, 3)])
def test_codes_are_valid_and_mix_neighbours_only(count: int, views: int) -> None:
    codes = interpolated_codes(count, views)
    assert codes.shape == (count, views)
    torch.testing.assert_close(codes.sum(1), torch.ones(count))
    assert (codes >= 0).all()
    for code in codes:
        mixed = torch.nonzero(code).flatten()
        assert len(mixed) <= 2
        assert mixed[-1] - mixed[0] <= 1


def test_as_many_points_as_views_are_the_views() -> None:
    torch.testing.assert_close(interpolated_codes(VIEWS, VIEWS), torch.eye(VIEWS))


def test_squares_at_positions_are_those_of_their_rows(store: ImageStore) -> None:
    assert (store.at(np.array([3, 0])) == store.images[[8, 11]]).all()


@pytest.mark.parametrize("at_once", [9, 3])  # images: those of two inputs; fewer than those of one
def test_images_are_generated_as_one_by_one(store: ImageStore, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(augmentation, "AT_ONCE", at_once * 8**2)
    model, positions = Mixed(spec()), np.array([7, 2, 9, 4, 11])
    made = generated(model, store, COUNT)(positions)
    assert made.shape == (5, COUNT, 8, 8, 3)
    assert model.wide
    for position, own in zip(positions, made, strict=True):
        image = to_float(store.images[[11 - position]])
        drawn = noise(int(position), COUNT)
        for number in range(COUNT):
            shade = number * (VIEWS - 1) / (COUNT - 1) / 100 + 0.05 * drawn[number, 0]
            expected = to_uint8((image / 2 + shade).clamp(-1, 1))[0]
            assert np.abs(own[number].astype(int) - expected).max() <= 1  # 1: rounding


def test_noise_is_of_the_input_alone() -> None:
    torch.manual_seed(0)
    first = noise(3, COUNT)
    torch.manual_seed(1)
    assert torch.equal(first, noise(3, COUNT))
    assert not torch.equal(first, noise(4, COUNT))
    assert len({tuple(row.tolist()) for row in first}) == COUNT


def test_copies_are_copies(store: ImageStore) -> None:
    made = copies(store, COUNT)(np.array([1, 5]))
    assert made.shape == (2, COUNT, 8, 8, 3)
    assert all((made[:, n] == store.images[[10, 6]]).all() for n in range(COUNT))


def test_a_control_of_pure_views_gives_the_nearest() -> None:
    def answer(positions: np.ndarray, view: int) -> Tensor:
        return torch.full((len(positions), 3, 2, 2), view / 10)

    made = nearest_views(answer, VIEWS, 20)(np.array([0, 1]))
    views = np.rint((made[:, :, 0, 0, 0] / 127.5 - 1) * 10)
    nearest = np.rint(np.arange(20) * 4 / 19)
    assert (views == nearest).all()
    assert np.bincount(nearest.astype(int)).tolist() == [3, 5, 4, 5, 3]


def made_for(name: str, store: ImageStore) -> tuple[augmentation.Examples, Condition, np.ndarray]:
    positions, labels = np.arange(6), np.array([0, 0, 1, 1, 2, 2])
    condition = control(name, store, COUNT)
    added = condition.add(positions) if condition.add else None
    return examples(store.at(positions), labels, added, condition, 3), condition, labels


@pytest.mark.parametrize("name", ["no_augmentation", "standard_augmentation"])
def test_real_images_alone(name: str, store: ImageStore) -> None:
    found, condition, labels = made_for(name, store)
    assert (found.images == store.images[11 - np.arange(6)]).all()
    assert (found.labels == labels).all()
    assert found.real.all()
    assert found.added == 0
    assert condition.augmented == (name == "standard_augmentation")


@pytest.mark.parametrize(("name", "real"), [("real_repeated", True), ("copy", False)])
def test_repeated_images(name: str, real: bool, store: ImageStore) -> None:
    found, condition, labels = made_for(name, store)
    assert len(found.images) == len(found.labels) == len(found.real) == 6 * (1 + COUNT)
    assert found.added == 6 * COUNT
    for number in range(6):
        same = (found.images == store.images[11 - number]).all((1, 2, 3))
        assert same.sum() == 1 + COUNT
        assert (found.labels[same] == labels[number]).all()
        assert found.real[same].sum() == (1 + COUNT if real else 1)
    assert not condition.augmented


def test_shuffled_labels_are_those_of_the_copies_in_another_order(store: ImageStore) -> None:
    found, _, labels = made_for("shuffled_labels", store)
    right, _, _ = made_for("copy", store)
    assert (found.images == right.images).all()
    assert (found.real == right.real).all()
    assert (found.labels[:6] == labels).all()  # of the real images they are right
    assert (np.bincount(found.labels) == np.bincount(right.labels)).all()
    assert 0.4 < (found.labels[6:] != right.labels[6:]).mean() < 0.95


def test_every_control_but_the_oracle_is_known(store: ImageStore) -> None:
    assert [name for name in OF_FEWSHOT if name != "oracle"] == [name for name in OF_FEWSHOT if _known(name, store)]


def _known(name: str, store: ImageStore) -> bool:
    try:
        return bool(control(name, store, COUNT))
    except KeyError:
        return False
