"""Every section, as small as it can be, through the command line; what it takes is not looked at."""

import csv
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import torch
from benchmark.speed import attention, commands, evaluation, feeding, pipeline, scaling, utilisation
from benchmark.speed.sections import ALL, USUAL

from benchmark import cli
from benchmark.errors import BenchmarkError
from tests.tools import PROJECT

TAKEN = {"dvc": pipeline.Taken(240.0, 400.0), "process": pipeline.Taken(200.0, 300.0)}
SMALL = {
    utilisation: {"CYCLES": 2, "ROUNDS": 1, "SIDES": {"cpu": 8}, "PUBLISHED": 0.125},
    feeding: {"ROUNDS": 1},
    attention: {"SIZE": 64, "SIDES": (16,), "ROUNDS": 1},
    evaluation: {"ROUNDS": 1},
    commands: {"ROUNDS": 1, "COMMANDS": (("--help",),)},
    scaling: {"BATCHES": (2, 4), "SIZES": (32,), "IDENTITIES": (2, 4), "ROUNDS": 1, "apart": lambda task: task()},
    pipeline: {"_taken": lambda folder, *words: TAKEN[folder.name]},
}
CHANGES = [
    "--set",
    "training.batch_size=4",
    "--set",
    "training.width=0.0625",
    "--set",
    "evaluation.nc=[5]",
    "--set",
    "evaluation.batch_size=16",
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmark", "speed", "--profile", "smoke", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.usefixtures("small")
def test_every_section_is_printed_and_written(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--model", "two_step", "ours", "--only", *reversed(ALL), "--output", "speed.csv"]
    assert call(monkeypatch, *options, *CHANGES) == 0
    said = capsys.readouterr().out
    titles = [line.partition(":")[0].removeprefix("# ") for line in said.splitlines() if line.startswith("# ")]
    assert titles == list(ALL)
    with (project / "speed.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(dict.fromkeys(line["section"] for line in lines)) == list(ALL)
    assert all(math.isfinite(float(line["value"])) for line in lines)
    assert {line["met"] for line in lines if line["goal"]} == {"0", "1"}
    models = [line["what"] for line in lines if line["quantity"] == "utilisation"]
    assert models == ["two_step", "ours", "ours, width 0.125"]
    share = {line["what"]: float(line["value"]) for line in lines if line["quantity"] == "share"}
    assert share["dvc repro beyond it"] == 0.25
    assert sum(share[part] for part in ("generation", "features and views", "KNN")) < 1


def test_the_pipeline_is_measured_only_where_it_is_named() -> None:
    assert [name for name in ALL if name not in USUAL] == ["pipeline"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--only", "colour"], "'colour' is not one of"),
        (["--output", "nowhere/speed.csv"], "nowhere is no folder"),
        (["--output", "."], "'.' is a directory"),
        (["--model", "ousr"], "there is no model ousr"),
        (["--only", "feeding", "--set", "data.image_size=50"], "cannot be built: image_size 50"),
    ],
)
def test_mistakes(
    words: list[str], sentence: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(monkeypatch, *words) == 2
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("error: ")
    assert sentence in said.err
    assert not said.out
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("error", [BrokenProcessPool(), MemoryError(), torch.OutOfMemoryError()])
def test_a_measurement_that_lacks_memory_leaves_a_gap(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(task: Callable[[], scaling.Taken]) -> scaling.Taken:
        if task is tasks["large"]:
            raise error
        return task()

    monkeypatch.setattr(scaling, "apart", apart)
    tasks: dict[str, Any] = {"small": lambda: (1.0, 10.0), "middle": lambda: (3.0, 40.0), "large": lambda: (0.0, 0.0)}
    small, middle, large = scaling._rows(tasks)
    assert small.numbers == {"seconds": 1.0, "MB": 10.0, "seconds, ratio": 1.0, "MB, ratio": 1.0}
    assert middle.numbers == {"seconds": 3.0, "MB": 40.0, "seconds, ratio": 3.0, "MB, ratio": 4.0}
    assert large.numbers == dict.fromkeys(small.numbers)


def test_the_copy_holds_what_git_does_not_ignore_and_smoke_is_active(tmp_path: Path) -> None:
    folder = pipeline.copied(PROJECT, tmp_path / "copy")
    assert "active: smoke" in (folder / "params.yaml").read_text(encoding="utf-8")
    assert (folder / "benchmark" / "cli.py").is_file()
    assert not (folder / "runs").exists()
    subprocess.run(["git", "status"], cwd=folder, check=True, capture_output=True)


def test_a_project_without_git_cannot_be_copied(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="is no git repository"):
        pipeline.copied(tmp_path, tmp_path / "copy")


def test_the_time_of_a_command_is_that_of_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "START", "{0} = range(3_000_000); sum({0})")
    taken = pipeline._taken(tmp_path, "busy")
    assert taken.wall > 0
    assert taken.cpu > 0


@contextmanager
def interrupted_when(begun: Callable[[], object]) -> Iterator[None]:
    """Interrupt the block as soon as something has begun."""

    def interrupt() -> None:
        while not begun():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    thread.join()


def dawdle(begun: Path) -> tuple[float, float]:
    begun.touch()
    time.sleep(60)
    return 0.0, 0.0


def test_an_interruption_does_not_wait_for_a_measurement(tmp_path: Path) -> None:
    begun, start = tmp_path / "begun", time.monotonic()
    with interrupted_when(begun.exists):
        scaling.apart(partial(dawdle, begun))
    assert time.monotonic() - start < 30
    assert not active_children()


def running(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_an_interrupted_command_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "START", "import os; os.{0}('echo $$ > begun; sleep 60; true')")
    begun = tmp_path / "begun"
    with interrupted_when(lambda: begun.exists() and begun.read_text(encoding="utf-8")):
        pipeline._taken(tmp_path, "system")
    deadline = time.monotonic() + 10
    while running(int(begun.read_text(encoding="utf-8"))):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interruption_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(run: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "measure", interrupted)
    assert call(monkeypatch, "--only", "commands", "--output", "speed.csv") == 130
    said = "error: interrupted; commands begins anew next time, alone by --only commands"
    assert capsys.readouterr().err.splitlines()[-1] == said
    assert not (project / "speed.csv").exists()


def test_a_run_that_fails_ends_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"`dvc repro` failed in a copy of the project: .*DVC repo"):
        pipeline._taken(tmp_path, "dvc", "repro")
