"""Describing generated images, and the functions that make them."""

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.errors import BenchmarkError, FullDiskError
from benchmark.evaluation import generate
from benchmark.evaluation.copying import pixel_distances
from benchmark.evaluation.outputs import FEATURES_FILE, Networks, Outputs, measure, pairs, reserve
from benchmark.evaluation.samples import sample_columns, tiles
from tests.tiny import Tiny
from tests.tools import spec

CPU = torch.device("cpu")
VIEWS = 3
KEY_OF_BLACK = 6492224576833844746  # of two by two pixels, the same on every machine


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """30 random images; row counts backwards, so that position and row differ."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", random.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8))
    splits = np.array(["auxiliary"] * 14 + ["validation"] * 4 + ["standard"] * 12)
    table = pd.DataFrame({"split": splits, "view_label": np.arange(30) % VIEWS, "row": np.arange(30)[::-1]})
    table["identity"] = [f"i{n // 6}" for n in range(30)]
    return ImageStore(tmp_path, table)


def test_pairs_are_every_standard_image_with_every_view(store: ImageStore) -> None:
    position, target = pairs(store.manifest, VIEWS, own_view_only=False)
    assert list(zip(position, target, strict=True)) == [(p, v) for p in range(18, 30) for v in range(VIEWS)]
    position, target = pairs(store.manifest, VIEWS, own_view_only=True)
    assert list(zip(position, target, strict=True)) == [(p, p % VIEWS) for p in range(18, 30)]


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


class Pooled(nn.Module):
    """Stands for ResNet18: the last of its parts is dropped to get 512 features."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trunk = nn.Conv2d(3, 512, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(512, VIEWS)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.trunk(x)).flatten(1))


@pytest.mark.parametrize("batch_size", [1, 5, 256])
def test_each_image_is_described_in_its_row(store: ImageStore, batch_size: int) -> None:
    network = Pooled().eval()
    shift = torch.tensor([0.0, 0.3, -0.3])
    position, target = pairs(store.manifest, VIEWS, own_view_only=False)
    mixed = np.random.default_rng(0).permutation(len(position))
    position, target = position[mixed], target[mixed]
    made = measure(
        lambda positions, view: (generate.inputs(store, positions) + shift[view]).clamp(-1, 1),
        position,
        target,
        Networks(network, network),
        pixel_distances(store),
        batch_size,
        CPU,
    )
    for row, (place, view) in enumerate(zip(position, target, strict=True)):
        image = (to_float(store.images[[29 - place]]) + shift[view]).clamp(-1, 1)
        with torch.no_grad():
            features = network.trunk(image).mean((2, 3))[0].numpy()
            seen = int(network(image).argmax())
        np.testing.assert_allclose(made.features[row], features, rtol=1e-4, atol=1e-5)
        assert made.view[row] == seen


def test_outputs_survive_the_disk(tmp_path: Path) -> None:
    distance = np.array([0.0, 0.5, np.nan, 1.0], np.float32)
    made = Outputs(
        np.arange(4), np.arange(4) % 2, np.ones((4, 512), np.float32), np.zeros(4, np.int64), distance, distance
    )
    made.save(tmp_path / "outputs.safetensors")
    made.save(tmp_path / "outputs.safetensors")  # over the old ones
    loaded = Outputs.load(tmp_path / "outputs.safetensors")
    for name, values in vars(made).items():
        np.testing.assert_array_equal(values, getattr(loaded, name), name)
        assert values.dtype == getattr(loaded, name).dtype, name
    assert made.of(np.array([3, 1, 8])).position.tolist() == [1, 3]


def test_features_stay_on_the_disk(store: ImageStore, tmp_path: Path) -> None:
    position, target = pairs(store.manifest, VIEWS, own_view_only=True)
    answer, networks, compared = generate.copy(store), Networks(Pooled(), Pooled()), pixel_distances(store)
    plain = measure(answer, position, target, networks, compared, 4, CPU)
    mapped = reserve(tmp_path / "outputs.safetensors", len(position))
    made = measure(answer, position, target, networks, compared, 4, CPU, mapped)
    assert made.features is mapped
    made.save(tmp_path / "outputs.safetensors")
    loaded = Outputs.load(tmp_path / "outputs.safetensors")
    assert isinstance(loaded.features, np.memmap)
    assert loaded.features.tobytes() == plain.features.tobytes()
    (tmp_path / "elsewhere").mkdir()
    loaded.save(tmp_path / "elsewhere" / "outputs.safetensors")
    again = Outputs.load(tmp_path / "elsewhere" / "outputs.safetensors")
    assert again.features.tobytes() == plain.features.tobytes()
    assert (tmp_path / "outputs.safetensors").stat().st_size < plain.features.nbytes


@pytest.mark.parametrize("name", [FEATURES_FILE, "outputs.safetensors"])
def test_damaged_outputs_are_named(tmp_path: Path, name: str) -> None:
    numbers, unknown = np.zeros(4, np.int64), np.zeros(4, np.float32)
    made = Outputs(numbers, numbers, np.ones((4, 512), np.float32), numbers, unknown, unknown)
    made.save(tmp_path / "outputs.safetensors")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    with pytest.raises(BenchmarkError, match=f"{name} is missing or damaged"):
        Outputs.load(tmp_path / "outputs.safetensors")


def test_a_full_disk_is_known_before_anything_is_generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(FullDiskError, match=f"no space left on the disk for .*{FEATURES_FILE}"):
        reserve(tmp_path / "outputs.safetensors", 5)
    assert not list(tmp_path.iterdir())
