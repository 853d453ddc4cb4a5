"""Describing generated images, and the functions that make them."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.errors import BenchmarkError, FullDiskError
from benchmark.evaluation import generate
from benchmark.evaluation.copying import pixel_distances
from benchmark.evaluation.outputs import FEATURES_FILE, Networks, Outputs, measure, pairs, reserve, sharpness
from tests.evaluation.conftest import VIEWS

CPU = torch.device("cpu")


def test_pairs_are_every_standard_image_with_every_view(store: ImageStore) -> None:
    position, target = pairs(store.manifest, VIEWS, own_view_only=False)
    assert list(zip(position, target, strict=True)) == [(p, v) for p in range(18, 30) for v in range(VIEWS)]
    position, target = pairs(store.manifest, VIEWS, own_view_only=True)
    assert list(zip(position, target, strict=True)) == [(p, p % VIEWS) for p in range(18, 30)]


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
        assert made.sharpness[row] == pytest.approx(float(sharpness(image)[0]), rel=1e-4)


def test_outputs_survive_the_disk(tmp_path: Path) -> None:
    distance = np.array([0.0, 0.5, np.nan, 1.0], np.float32)
    numbers, features = np.arange(4), np.ones((4, 512), np.float32)
    made = Outputs(numbers, numbers % 2, features, np.zeros(4, np.int64), distance, distance, distance)
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
    made = Outputs(numbers, numbers, np.ones((4, 512), np.float32), numbers, unknown, unknown, unknown)
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
