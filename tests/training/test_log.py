"""The log: losses may come and go, and an interruption leaves no trace."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.training.log import Log
from benchmark.training.loop import Files, Schedule, train
from models.interface import Batches, CycleReport
from tests.tiny import Tiny
from tests.tools import RandomBatches, spec
from tests.training.test_loop import Disturbed, control_c

ROWS = [{"first": 1.0}, {"first": 2.0}, {"second": 3.0}, {"first": 4.0, "second": 5.0}, {"third": 6.0}]
WHOLE = """cycle,images,first,second,third
1,4,1.000000,,
2,8,2.000000,,
3,12,,3.000000,
4,16,4.000000,5.000000,
5,20,,,6.000000
"""


def write(log: Log, start: int = 0, stop: int = len(ROWS)) -> str:
    for cycle in range(start, stop):
        log.add(cycle + 1, 4 * (cycle + 1), ROWS[cycle])
    return log.path.read_text(encoding="utf-8")


def test_a_missing_loss_is_an_empty_cell_and_a_new_one_a_column(tmp_path: Path) -> None:
    assert write(Log(tmp_path / "log.csv", 0)) == WHOLE
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize(("written", "kept"), [(w, k) for w in range(len(ROWS) + 1) for k in range(w + 1)])
def test_a_log_that_is_gone_back_in_is_as_if_never_left(written: int, kept: int, tmp_path: Path) -> None:
    write(Log(tmp_path / "log.csv", 0), stop=written)
    resumed = Log(tmp_path / "log.csv", kept)
    assert resumed.path.read_text(encoding="utf-8") == write(Log(tmp_path / "other.csv", 0), stop=kept)
    assert write(resumed, start=kept) == WHOLE


@pytest.mark.parametrize("length", range(len("4,16,4.000000,5.000000")))
def test_a_row_that_was_cut_is_no_row(length: int, tmp_path: Path) -> None:
    write(Log(tmp_path / "log.csv", 0), stop=3)
    with (tmp_path / "log.csv").open("a", encoding="utf-8") as stream:
        stream.write("4,16,4.000000,5.000000"[:length])
    assert write(Log(tmp_path / "log.csv", 3), start=3) == WHOLE


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("cycle,images,first\n\0\0\0,\0\n", encoding="utf-8")
    with pytest.raises(BenchmarkError, match=r"log\.csv is missing or damaged \(ValueError\); delete"):
        Log(tmp_path / "log.csv", 3)


def test_a_row_without_losses_has_a_header(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.csv", 0)
    log.add(1, 4, {})
    log.add(2, 8, {})
    assert log.path.read_text(encoding="utf-8") == "cycle,images\n1,4\n2,8\n"


class Phased(Tiny):
    """Another loss in the second half of the budget."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        report = super().cycle(batches, fabric, progress)
        name = "early" if progress < 0.5 else "late"
        return replace(report, losses={name: report.losses["loss"]})


def phased() -> Phased:
    torch.manual_seed(0)
    return Phased(spec())


@pytest.mark.parametrize("draw", [2, 5, 6])
def test_two_phases_interrupted(draw: int, tmp_path: Path, fabric: Fabric) -> None:
    schedule = Schedule(images=32, log_every=1, checkpoint_seconds=3, axes=("test", 0))
    whole, parts = Files(tmp_path / "whole"), Files(tmp_path / "parts")
    train(phased(), RandomBatches(spec()), fabric, schedule, whole, "whole")
    with pytest.raises(InterruptedRun):
        train(phased(), Disturbed(draw, control_c), fabric, schedule, parts, "parts")
    train(phased(), RandomBatches(spec()), fabric, schedule, parts, "parts")
    assert parts.log.read_bytes() == whole.log.read_bytes()
    assert whole.log.read_text(encoding="utf-8").startswith("cycle,images,early,late\n1,4,")
