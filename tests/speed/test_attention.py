"""The reference with windows cut out, and what is done with it."""

import pytest
import torch
from benchmark.speed import attention
from benchmark.speed.attention import Case, case, row
from benchmark.speed.unfolded import unfolded

from benchmark.errors import BenchmarkError
from models.layers.connection import NonalignmentConnection
from models.layers.plan import plan

CPU = torch.device("cpu")
SMALL = Case(12, 8, 6)


def test_the_papers_maps_and_channels() -> None:
    assert [case(plan(224), side) for side in (28, 56)] == [Case(28, 256, 192), Case(56, 192, 128)]
    assert [Case(side, 1, 1).radius for side in (28, 56)] == [7, 14]


def test_what_differs_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert None not in row(SMALL, 1, CPU).numbers.values()
    monkeypatch.setattr(attention, "unfolded", lambda cnc, x, y, radius: unfolded(cnc, x, y, radius + 1))
    with pytest.raises(BenchmarkError, match="CNC on 12x12 differs from windows cut out"):
        row(SMALL, 1, CPU)


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_query(cnc: NonalignmentConnection, x: torch.Tensor, y: torch.Tensor, radius: int) -> torch.Tensor:
        right, cut = unfolded(cnc, x, y, radius), unfolded(cnc, x.detach(), y, radius)
        return cut + (right - right.detach()) * 0.9

    monkeypatch.setattr(attention, "unfolded", without_query)
    with pytest.raises(BenchmarkError, match="differs"):
        row(SMALL, 1, CPU)


def test_without_room_the_reference_is_left_out() -> None:
    numbers = row(SMALL, 0, CPU).numbers
    assert numbers["batch"] == 1
    assert [name for name, number in numbers.items() if number is None] == ["unfold / CNC"]
