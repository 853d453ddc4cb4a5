"""The drawing of batches."""

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.training import sampling
from benchmark.training.sampling import AuxiliaryBatches
from models.interface import Batch

CPU = torch.device("cpu")


@pytest.fixture
def batches() -> AuxiliaryBatches:
    """40 images whose grey is their place in the store; the odd ones train, with labels that follow from the place."""
    images = np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2).repeat(3, 3)
    rows = np.arange(1, 40, 2)
    images.setflags(write=False)
    rows.setflags(write=False)
    return AuxiliaryBatches(images, rows, rows // 4, rows % 5, 64, CPU)


def test_batches_hold_training_rows_with_their_labels(batches: AuxiliaryBatches) -> None:
    torch.manual_seed(0)
    seen = set()
    for _ in range(8):
        batch = batches.draw()
        assert batch.image.shape == (64, 3, 4, 4)
        place = (batch.image[:, 0, 0, 0] * 127.5 + 127.5).round().long()
        assert torch.equal(batch.identity, place // 4)
        assert torch.equal(batch.view, place % 5)
        seen |= set(place.tolist())
    assert seen == set(range(1, 40, 2))


def test_draws_follow_the_global_seed(batches: AuxiliaryBatches) -> None:
    torch.manual_seed(0)
    first, second = batches.draw(), batches.draw()
    torch.manual_seed(0)
    assert torch.equal(first.image, batches.draw().image)
    assert not torch.equal(first.image, second.image)


def drawn(batches: AuxiliaryBatches) -> list[Tensor]:
    torch.manual_seed(3)
    return [part for batch in (batches.draw(), *batches.draw_pairs()) for part in batch]


def test_images_that_fit_on_the_device_are_drawn_from_there(
    batches: AuxiliaryBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "fits", lambda size, device: size == 20 * 4 * 4 * 3)
    monkeypatch.setattr(sampling, "PART", 7)
    images, rows = batches.images.copy(), batches.rows
    resident = AuxiliaryBatches(images, rows, rows // 4, rows % 5, 64, CPU)
    images[:] = 0  # not looked at again
    for part, expected in zip(drawn(resident), drawn(batches), strict=True):
        assert torch.equal(part, expected)
        assert part.stride() == expected.stride()


def test_images_stay_on_a_gpu_if_they_take_a_quarter_of_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (400, 10_000))
    assert [sampling.fits(size, torch.device("cuda")) for size in (100, 101)] == [True, False]
    assert not sampling.fits(1, CPU)


def paired(identity: list[int], view: list[int], capture: list[int] | None = None) -> AuxiliaryBatches:
    """Images whose grey is their place, with these labels."""
    images = np.arange(len(view), dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2).repeat(3, 3)
    labels = np.array(identity), np.array(view)
    return AuxiliaryBatches(images, np.arange(len(view)), *labels, 400, CPU, np.array(capture) if capture else None)


def places(batch: Batch) -> list[int]:
    return (batch.image[:, 0, 0, 0] * 127.5 + 127.5).round().long().tolist()


def test_pairs_show_the_same_identity_from_another_view() -> None:
    identity, view = [2, 0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 2, 3, 3, 0]
    torch.manual_seed(0)
    first, second = paired(identity, view).draw_pairs()
    assert first.identity.tolist() == second.identity.tolist() == [identity[place] for place in places(second)]
    assert second.view.tolist() == [view[place] for place in places(second)]
    partners = {
        place: {b for a, b in zip(places(first), places(second), strict=True) if a == place} for place in range(8)
    }
    assert partners == {0: {7}, 7: {0}, 1: {3, 4}, 2: {3, 4}, 3: {1, 2, 4}, 4: {1, 2, 3}, 5: {6}, 6: {5}}


def test_the_other_view_of_a_pair_is_drawn_uniformly() -> None:
    torch.manual_seed(0)
    first, second = paired([0] * 12, [0, 1] + [2] * 10).draw_pairs()
    seen = [b for a, b in zip(first.view.tolist(), second.view.tolist(), strict=True) if a == 2]
    assert seen.count(1) / len(seen) == pytest.approx(0.5, abs=0.08)


def test_an_image_without_siblings_is_its_own_pair() -> None:
    first, second = paired([0, 1], [0, 1]).draw_pairs()
    assert places(first) == places(second)


def test_pairs_keep_the_capture_where_they_can() -> None:
    view, capture = [0, 1, 0, 1, 0], [0, 0, 1, 1, 2]  # two lights from two views, and an image of a light of its own
    torch.manual_seed(0)
    first, second = paired([0] * 5, view, capture).draw_pairs()
    partners = {
        place: {b for a, b in zip(places(first), places(second), strict=True) if a == place} for place in range(5)
    }
    assert partners == {0: {1}, 1: {0}, 2: {3}, 3: {2}, 4: {1, 3}}


def test_without_captures_the_same_pairs_are_drawn() -> None:
    identity, view = [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 1]
    drawn = []
    for capture in (None, [7] * 6):
        torch.manual_seed(0)
        drawn.append([places(batch) for batch in paired(identity, view, capture).draw_pairs()])
    assert drawn[0] == drawn[1]
