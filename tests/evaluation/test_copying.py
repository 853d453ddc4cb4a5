"""Copies told from other outputs, against plain loops and with planted answers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.evaluation import copying
from benchmark.evaluation.copying import copied, feature_distances, pixel_distances
from benchmark.evaluation.outputs import Outputs, pairs

VIEWS, SIZE = 3, 6


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """40 random images; row counts backwards; identity i4 is not shown from the view 2."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", random.integers(0, 256, (40, SIZE, SIZE, 3), dtype=np.uint8))
    identity = np.arange(40) % 6
    view = np.where(identity == 4, np.arange(40) // 6 % 2, np.arange(40) // 6 % VIEWS)
    table = pd.DataFrame({"identity": [f"i{n}" for n in identity], "view_label": view, "row": np.arange(40)[::-1]})
    return ImageStore(tmp_path, table.assign(split=np.where(identity == 5, "auxiliary", "standard")))


def real(store: ImageStore, position: int) -> Tensor:
    return to_float(store.images[[39 - position]])[0]


def shown(store: ImageStore, position: int, view: int) -> list[int]:
    """The positions of the real images of an identity from a view."""
    table = store.manifest
    own = table["identity"].iloc[position]
    return [n for n in range(40) if table["identity"].iloc[n] == own and table["view_label"].iloc[n] == view]


def slow(
    store: ImageStore, position: int, view: int, output: Tensor, size: Callable[[Tensor], Tensor]
) -> tuple[float, float]:
    """The distance to the input and to the nearest real image; `size` says how large a difference is."""
    to_others = [float(size(output - real(store, other))) for other in shown(store, position, view)]
    return float(size(output - real(store, position))), min(to_others, default=float("nan"))


def noisy(store: ImageStore, position: np.ndarray) -> Tensor:
    noise = torch.from_numpy(np.random.default_rng(1).normal(0, 0.5, (len(position), 3, SIZE, SIZE)))
    return torch.stack([real(store, int(n)) for n in position]) + noise.float()


def test_pixel_distances_by_a_plain_loop(store: ImageStore) -> None:
    position, target = pairs(store.manifest, VIEWS, own_view_only=False)
    for view in range(VIEWS):
        inputs = np.random.default_rng(view).permutation(position[target == view])
        images = noisy(store, inputs).contiguous(memory_format=torch.channels_last)
        found = pixel_distances(store)(images, inputs, view)
        for n, place in enumerate(inputs):
            expected = slow(store, place, view, images[n], lambda difference: difference.abs().mean())
            assert (found[0][n], found[1][n]) == pytest.approx(expected, rel=1e-4, nan_ok=True)


def outputs(store: ImageStore, make: Callable[[int, int], Tensor], own_view_only: bool = False) -> Outputs:
    """Outputs of a generator for the standard images, its pixels serving as features."""
    position, target = pairs(store.manifest, VIEWS, own_view_only)
    images = torch.stack([make(int(place), int(view)) for place, view in zip(position, target, strict=True)])
    to_input, to_target = np.empty((2, len(position)), np.float32)
    for view in range(VIEWS):
        rows = target == view
        to_input[rows], to_target[rows] = pixel_distances(store)(images[rows], position[rows], view)
    return Outputs(position, target, images.flatten(1).numpy(), target, to_input, to_target, to_input)


def test_feature_distances_by_a_plain_loop(store: ImageStore) -> None:
    true = outputs(store, lambda position, view: real(store, position), own_view_only=True)
    generated = outputs(store, lambda position, view: noisy(store, np.array([position]))[0])
    to_input, to_target = feature_distances(store.manifest, true, generated)
    for n, (place, view) in enumerate(zip(generated.position, generated.target, strict=True)):
        output = torch.from_numpy(generated.features[n]).reshape(3, SIZE, SIZE)
        expected = slow(store, place, view, output, torch.Tensor.norm)
        assert (to_input[n], to_target[n]) == pytest.approx(expected, rel=1e-4, nan_ok=True)


def test_the_size_of_the_parts_changes_no_distance(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def distances() -> list[bytes]:
        true = outputs(store, lambda position, view: real(store, position), own_view_only=True)
        generated = outputs(store, lambda position, view: noisy(store, np.array([position]))[0])
        features = feature_distances(store.manifest, true, generated)
        return [part.tobytes() for part in (generated.to_input, generated.to_target, *features)]

    whole = distances()
    monkeypatch.setattr(copying, "CHUNK", 5)
    monkeypatch.setattr(copying, "MEMBERS", 1)
    assert distances() == whole


def copies(store: ImageStore, make: Callable[[int, int], Tensor]) -> pd.DataFrame:
    """Return whether each output is a copy, by pixels and by features."""
    made, true = outputs(store, make), outputs(store, lambda position, view: real(store, position), own_view_only=True)
    source = store.manifest["view_label"].to_numpy()[made.position]
    there = [bool(shown(store, *pair)) for pair in zip(made.position, made.target, strict=True)]
    features = feature_distances(store.manifest, true, made)
    return pd.DataFrame(
        {
            "asked": (source != made.target) & there,
            "pixels": copied(made.to_input, made.to_target, source, made.target),
            "features": copied(*features, source, made.target),
        }
    )


@pytest.mark.parametrize("kind", ["pixels", "features"])
def test_planted_copies_are_all_found(store: ImageStore, kind: str) -> None:
    found = copies(store, lambda position, view: real(store, position))
    assert found[kind].notna().equals(found["asked"])
    assert 0 < found["asked"].sum() < len(found)
    assert (found.loc[found["asked"], kind] == 1).all()


@pytest.mark.parametrize("kind", ["pixels", "features"])
def test_the_true_picture_is_no_copy(store: ImageStore, kind: str) -> None:
    found = copies(store, lambda position, view: real(store, next(iter(shown(store, position, view)), position)))
    assert (found.loc[found["asked"], kind] == 0).all()


@pytest.mark.parametrize("kind", ["pixels", "features"])
@pytest.mark.parametrize(("weight", "copy"), [(0.4, 0), (0.6, 1)])
def test_a_mixture_is_a_copy_of_the_nearer_image(store: ImageStore, kind: str, weight: float, copy: int) -> None:
    def mixed(position: int, view: int) -> Tensor:
        other = next(iter(shown(store, position, view)), position)
        return weight * real(store, position) + (1 - weight) * real(store, other)

    found = copies(store, mixed)
    assert (found.loc[found["asked"], kind] == copy).all()


def test_an_output_as_far_from_both_is_no_copy() -> None:
    one, distance = np.zeros(1, np.int64), np.ones(1, np.float32)
    assert copied(distance, distance, one, one + 1).tolist() == [0]
    assert np.isnan(copied(distance, distance, one, one)).all()
