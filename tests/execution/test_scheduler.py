"""Tasks in order and side by side: what fails takes no other with it, and all end gently together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import Timeout

from benchmark.config import settings
from benchmark.errors import BenchmarkError, FullDiskError, InterruptedRun
from benchmark.execution import processes, scheduler
from benchmark.execution.processes import FULL, HELD
from benchmark.execution.scheduler import carry_out_all
from benchmark.execution.tasks import Task
from benchmark.run.workspace import Run
from tests.tools import PROJECT

CHILD = f"""
import os, pathlib, signal, sys, time

def until(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.01)

def save(*signal):
    pathlib.Path(f"{{model}}.saved").touch()
    sys.exit(130)

model, wait = sys.argv[1], bool(sys.argv[2])
signal.signal(signal.SIGTERM, save)
pathlib.Path(f"{{model}}.begun").touch()
if model in ("long", "longer"): time.sleep(60)
if model in ("failing", "full"): until("long.begun")
if model == "first": until("second.begun")
if model == "second": until("first.begun")
codes = {{"failing": 2, "full": {FULL}, "held": 0 if wait else {HELD}}}
if model == "killed": os.kill(os.getpid(), 9)
print("made", model, os.environ["OMP_NUM_THREADS"], flush=True)
sys.exit(codes.get(model, 0))
"""


def started(request: Path, task: Task, wait: bool, threads: int, **options: Any) -> "subprocess.Popen[str]":
    """Start a process that needs no time to start."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-S", "-c", CHILD, task.name, "wait" if wait else ""]
    return subprocess.Popen(command, env=environment, text=True, start_new_session=True, **options)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(processes, "start", started)
    monkeypatch.setattr(processes, "artifacts", lambda run, task: [])
    monkeypatch.setattr(scheduler, "done", lambda run, task: task.name == "done")
    smoke = settings.profile("smoke", PROJECT / "params.yaml")
    return Run(smoke, Path("runs/smoke"), Path("results"), "cpu")


def chain(*names: str) -> dict[Task, set[Task]]:
    """Tasks that wait for nothing."""
    return {Task("train", name): set() for name in names}


def failures(run: Run, *names: str, jobs: int = 2, keep_going: bool = False) -> dict[str, str]:
    failed = carry_out_all(run, chain(*names), jobs, keep_going)
    return {task.name: reason for task, reason in failed.items()}


def test_as_many_are_made_at_once_as_there_are_jobs(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert failures(run, "first", "second", "third", "done") == {}
    said = capsys.readouterr().out
    assert {f"made {name} 1" for name in ("first", "second", "third")} <= set(said.splitlines())
    assert "train done seed 0: done, nothing changed" in said
    assert said.count("done after") == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_takes_no_other_with_it(run: Run, jobs: int) -> None:
    Path("long.begun").touch()
    failed = failures(run, "failing", "a", "killed", "b", jobs=jobs, keep_going=True)
    reasons = {
        "failing": "its process ended with code 2",
        "killed": "killed by SIGKILL, as the system does where there is too little memory",
    }
    assert failed == {name: f"train {name} seed 0: {reason}" for name, reason in reasons.items()}
    assert Path("a.begun").exists()
    assert Path("b.begun").exists()


def test_what_waits_for_a_failure_is_left_out(run: Run) -> None:
    Path("long.begun").touch()
    tasks = {Task("identity", "later"): {Task("train", "failing")}, **chain("failing", "a")}
    tasks[Task("fewshot", "last")] = {Task("identity", "later")}
    assert {task.name for task in carry_out_all(run, tasks, 1, keep_going=True)} == {"failing"}
    assert Path("a.begun").exists()
    assert not Path("later.begun").exists()
    assert not Path("last.begun").exists()


def test_a_failure_ends_the_others_gently(run: Run) -> None:
    with pytest.raises(BenchmarkError, match="ended with code 2"):
        failures(run, "long", "failing", "never", "never too")
    assert Path("long.saved").exists()
    assert not Path("never too.begun").exists()


def test_a_full_disk_ends_all(run: Run) -> None:
    with pytest.raises(FullDiskError, match="no space left on the disk for runs/smoke"):
        failures(run, "long", "full", keep_going=True)
    assert Path("long.saved").exists()


def test_what_another_process_makes_comes_last(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    failures(run, "held", "a")
    lines = [line for line in capsys.readouterr().out.splitlines() if "done after" not in line]
    assert {*lines} == {"made a 1", "made held 1", "train held seed 0: another process is running it, waiting"}


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
@pytest.mark.parametrize("names", [("long",), ("long", "longer")])
def test_an_interruption_ends_all_gently(run: Run, names: tuple[str, ...]) -> None:
    thread = threading.Thread(target=interrupt_when_begun, args=names)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        failures(run, *names, "never", jobs=len(names), keep_going=True)
    thread.join()
    assert all(Path(f"{name}.saved").exists() for name in names)
    assert not Path("never.begun").exists()


class Here:
    """Work in this process that fails in the given way, and what was asked of it."""

    def __init__(self, **errors: BaseException) -> None:
        self.errors, self.asked = errors, list[tuple[str, bool]]()

    def __call__(self, run: Run, task: Task, wait: bool) -> None:
        self.asked.append((task.name, wait))
        error = self.errors.get(task.name)
        if error is not None and not (isinstance(error, Timeout) and wait):
            raise error


def test_alone_tasks_are_carried_out_in_this_process_and_in_order(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here(b=Timeout("b"))
    monkeypatch.setattr(scheduler, "carry_out", here)
    tasks = {**chain("c", "b", "a"), Task("identity", "first"): {Task("train", "a")}}
    assert carry_out_all(run, tasks) == {}
    assert here.asked == [("c", False), ("b", False), ("a", False), ("first", False), ("b", True)]


@pytest.mark.parametrize("error", [FullDiskError("full"), InterruptedRun("saved"), KeyboardInterrupt()])
def test_what_concerns_all_ends_all(run: Run, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here(b=error)
    monkeypatch.setattr(scheduler, "carry_out", here)
    with pytest.raises(type(error)):
        carry_out_all(run, chain("a", "b", "c"))
    assert here.asked == [("a", False), ("b", False)]
