"""Workers side by side: they share the places, and end gently together."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmark.stages.apart import FULL, HELD
from benchmark.stages.attempts import Attempts, Place, Task
from benchmark.stages.crew import DONE, Crew

from benchmark import settings
from benchmark.cells import Cell
from benchmark.errors import BenchmarkError, FullDiskError
from benchmark.stages import crew as crews
from benchmark.workspace import Run
from tests.tools import PROJECT

WORKER = f"""
import json, os, pathlib, signal, sys, time

def until(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.01)

def save(*signal):
    pathlib.Path(f"{{model}}.saved").touch()
    sys.exit(130)

model = "no model"
signal.signal(signal.SIGTERM, save)
for line in sys.stdin:
    task, model, seed, wait = json.loads(line)
    pathlib.Path(f"{{model}}.begun").touch()
    if model in ("long", "longer"): time.sleep(60)
    if model in ("failing", "full"): until("long.begun")
    if model == "first": until("second.begun")
    if model == "second": until("first.begun")
    codes = {{"failing": 2, "full": {FULL}, "held": 0 if wait else {HELD}}}
    if code := codes.get(model, 0): sys.exit(code)
    if model == "killed": os.kill(os.getpid(), 9)
    print(task, model, seed, os.environ["OMP_NUM_THREADS"], "at", os.getpid())
    print("{DONE}", flush=True)
"""


def started(run: Run, module: str, env: dict[str, str], **options: Any) -> "subprocess.Popen[str]":
    """Start a worker that needs no time to start."""
    command = [sys.executable, "-c", WORKER.replace(DONE, "\\0done")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env={**os.environ, **env}, **options)


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crews, "start", started)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    smoke = settings.profile("smoke", PROJECT / "params.yaml").model_copy(update={"threads": None})
    run = Run(smoke, Path("runs/crew"), Path("results"))
    with Crew(run, 2) as made:
        yield made


def each(crew: Crew, *models: str, keep_going: bool = False) -> dict[Place, str]:
    """Have the crew do something for models; returns what failed."""

    def cells(model: str, seed: int) -> list[Cell]:
        return [Cell(Path(model), {})]

    attempts = Attempts(keep_going, course=crew.side_by_side)
    attempts.each(crew.place(Task("models", lambda *place: None, cells)), [(model, 0) for model in models])
    return attempts.failed


def test_two_work_at_once_each_with_its_share_of_the_threads(crew: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    assert not each(crew, "first", "second", "third", "fourth")
    lines = capsys.readouterr().out.splitlines()
    said = [line.partition(" at ") for line in lines if line.startswith("models ")]
    assert sorted(what for what, _, _ in said) == [
        f"models {name} 0 3" for name in ("first", "fourth", "second", "third")
    ]
    assert len({process for _, _, process in said}) == 2
    assert re.fullmatch(r"models/first/seed0: done after \d+ s", min(line for line in lines if "done after" in line))
    assert len(lines) == 8


def test_the_threads_of_the_settings_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    smoke = settings.profile("smoke", PROJECT / "params.yaml").model_copy(update={"threads": 2})
    with Crew(Run(smoke, tmp_path, tmp_path), 2) as made:
        assert {worker.environment["OMP_NUM_THREADS"] for worker in made.workers} == {"2"}


def test_what_fails_takes_no_other_with_it(crew: Crew) -> None:
    Path("long.begun").touch()
    failed = each(crew, "failing", "a", "killed", "b", keep_going=True)
    said = {"failing": "its process ended with code 2", "killed": "killed by SIGKILL"}
    assert failed == {(model, 0): f"{model} seed 0: {reason}" for model, reason in said.items()}
    assert Path("a.begun").exists()
    assert Path("b.begun").exists()


def test_a_failure_ends_the_others_gently(crew: Crew) -> None:
    with pytest.raises(BenchmarkError, match="ended with code 2"):
        each(crew, "long", "failing", "never", "never too")
    assert Path("long.saved").exists()
    assert not Path("never too.begun").exists()


def test_a_full_disk_ends_all(crew: Crew) -> None:
    with pytest.raises(FullDiskError, match="no space left on the disk for runs/crew/models/full/seed0"):
        each(crew, "long", "full", keep_going=True)
    assert Path("long.saved").exists()


def test_what_another_process_is_at_comes_last(crew: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    each(crew, "held", "a")
    lines = [line.partition(" 0 ")[0] for line in capsys.readouterr().out.splitlines() if "done after" not in line]
    assert lines == ["models a", "held seed 0: another process is at it, waiting", "models held"]


def interrupt_when_begun(*models: str) -> None:
    while not all(Path(f"{model}.begun").exists() for model in models):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as in a shell, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_all_gently(crew: Crew) -> None:
    thread = threading.Thread(target=interrupt_when_begun, args=("long", "longer"))
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        each(crew, "long", "longer", "never", keep_going=True)
    thread.join()
    assert Path("long.saved").exists()
    assert Path("longer.saved").exists()
    assert not Path("never.begun").exists()
