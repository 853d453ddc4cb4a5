"""Every section, as small as it can be, through the command line; what it takes is not looked at."""

import csv
import math
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark import cli
from benchmark.errors import BenchmarkError
from models.layers.connection import NonalignmentConnection
from tests.tools import PROJECT
from tools.copies import copied
from tools.speed import suite, training
from tools.speed.__main__ import LONG, SECTIONS, speed
from tools.speed.training import attended, unfolded

CPU = torch.device("cpu")
SMALL: dict[Any, dict[str, Any]] = {
    training: {
        "ROUNDS": 1, "CYCLES": 2, "MATRICES": {"cpu": 8}, "PUBLISHED": 0.125, "SIZE": 64, "SIDES": (16,),
    },
    suite: {
        "ROUNDS": 1, "COMMANDS": (("--help",),), "BATCHES": (2, 4), "SIZES": (32,), "IDENTITIES": (2, 4),
        "in_subprocess": lambda task: task(),
        "taken": lambda folder, *words: {"dvc": (240.0, 400.0), "process": (200.0, 300.0)}[folder.name],
    },
}  # fmt: skip
CHANGES = ["training.batch_size=4", "training.width=0.0625", "evaluation.nc=[5]", "evaluation.batch_size=16"]
QUANTITIES = {
    "utilisation": {"GFLOP a cycle", "seconds a cycle", "GFLOP/s of the product", "utilisation"},
    "feeding": {"milliseconds", "milliseconds of a step", "share of a step"},
    "attention": {"batch", "milliseconds of CNC", "unfold / CNC", "Global-NC / CNC"},
    "evaluation": {"seconds", "share"},
    "commands": {"seconds"},
    "scaling": {"seconds", "MB", "seconds, ratio", "MB, ratio"},
    "pipeline": {"seconds", "CPU seconds", "share"},
}


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["speed", "--profile", "smoke", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main(speed)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_every_section_is_printed_and_written(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    changes = [word for change in CHANGES for word in ("--set", change)]
    words = ["--model", "two_step", "ours", "--only", *reversed(SECTIONS), "--output", "speed.csv", *changes]
    assert call(monkeypatch, *words) == 0
    titles = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("# ")]
    assert titles == [f"# {name}" for name in SECTIONS]
    with (project / "speed.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {name: {line["quantity"] for line in lines if line["section"] == name} for name in SECTIONS} == QUANTITIES
    assert all(math.isfinite(float(line["value"])) for line in lines)
    assert {line["section"] for line in lines if line["goal"]} == {"utilisation", "feeding", "commands", "pipeline"}
    for line in lines:
        value, goal = float(line["value"]), float(line["goal"] or "nan")
        met = value >= goal if line["section"] == "utilisation" else value <= goal
        assert line["met"] == (str(int(met)) if line["goal"] else "")
    models = [line["what"] for line in lines if line["quantity"] == "utilisation"]
    assert models == ["two_step", "ours", "ours, width 0.125"]
    share = {line["what"]: float(line["value"]) for line in lines if line["quantity"] == "share"}
    assert share["dvc repro beyond it"] == 0.25
    assert sum(share[part] for part in ("generation", "features and views", "KNN")) < 1


def test_the_pipeline_is_measured_only_where_it_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def begin(name: str) -> Callable[[Any], None]:
        def measure(run: Any) -> None:
            begun.append(name)
            raise KeyboardInterrupt

        return measure

    for name in SECTIONS:
        monkeypatch.setitem(SECTIONS, name, begin(name))
        assert call(monkeypatch, "--only", name, "--output", "speed.csv") == 130
    assert call(monkeypatch) == 130
    assert begun == [*SECTIONS, "utilisation"]
    assert LONG == ("pipeline",)
    assert not (project / "speed.csv").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--only", "colour"], "colour"),
        (["--output", "nowhere/speed.csv"], "nowhere"),
        (["--model", "ousr"], "ousr"),
        (["--only", "feeding", "--set", "data.image_size=50"], "image_size 50"),
    ],
)
def test_mistakes(
    words: list[str], named: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(monkeypatch, *words) == 2
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("error: ")
    assert named in said.err
    assert not said.out
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_the_command_says_where_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ([], ["--help"], ["--only", "attention", "--profile", "cpu"]):
        monkeypatch.setattr(sys, "argv", ["benchmark", "speed", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "python -m tools.speed" in line


@pytest.mark.parametrize("error", [BrokenProcessPool(), MemoryError(), torch.OutOfMemoryError()])
def test_a_measurement_that_lacks_memory_leaves_a_gap(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_subprocess(task: Callable[[], suite.Pair]) -> suite.Pair:
        if task is tasks["large"]:
            raise error
        return task()

    monkeypatch.setattr(suite, "in_subprocess", in_subprocess)
    tasks: dict[str, Any] = {"small": lambda: (1.0, 10.0), "middle": lambda: (3.0, 40.0), "large": lambda: (0.0, 0.0)}
    rows = {name: list(numbers.values()) for name, numbers in suite.grown(tasks).items()}
    assert rows == {"small": [1.0, 10.0, 1.0, 1.0], "middle": [3.0, 40.0, 3.0, 4.0], "large": [None] * 4}


def test_a_task_apart_is_measured_in_another_process() -> None:
    seconds, size = suite.in_subprocess(measured)
    assert (seconds, size) == (1.0, 2.0)


def measured() -> tuple[float, float]:
    return 1.0, 2.0


def test_what_differs_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert None not in attended(12, 8, 6, 1, CPU).values()
    monkeypatch.setattr(training, "unfolded", lambda cnc, x, y, radius: unfolded(cnc, x, y, radius + 1))
    with pytest.raises(BenchmarkError, match="12x12 differs"):
        attended(12, 8, 6, 1, CPU)


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_query(cnc: NonalignmentConnection, x: torch.Tensor, y: torch.Tensor, radius: int) -> torch.Tensor:
        right, cut = unfolded(cnc, x, y, radius), unfolded(cnc, x.detach(), y, radius)
        return cut + (right - right.detach()) * 0.9

    monkeypatch.setattr(training, "unfolded", without_query)
    with pytest.raises(BenchmarkError, match="differs"):
        attended(12, 8, 6, 1, CPU)


def test_without_room_the_reference_is_left_out() -> None:
    numbers = attended(12, 8, 6, 0, CPU)
    assert numbers["batch"] == 1
    assert [name for name, number in numbers.items() if number is None] == ["unfold / CNC"]


def test_the_copy_holds_what_git_does_not_ignore(tmp_path: Path) -> None:
    folder = copied(tmp_path / "copy")
    assert (folder / "benchmark" / "cli.py").is_file()
    assert not (folder / "runs").exists()
    with pytest.raises(BenchmarkError, match="is no git repository"):
        copied(tmp_path / "another", project=tmp_path)


def test_the_time_of_a_command_is_that_of_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "START", "{0} = range(3_000_000); sum({0})")
    wall, cpu = suite.taken(tmp_path, "busy")
    assert min(wall, cpu) > 0


def test_a_run_that_fails_ends_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"`dvc repro` failed in a copy of the project: .*DVC repo"):
        suite.taken(tmp_path, "dvc", "repro")


def test_the_tools_are_not_installed() -> None:
    listed = (PROJECT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.setuptools]")[2]
    assert "tools" not in listed.partition("]")[0]
