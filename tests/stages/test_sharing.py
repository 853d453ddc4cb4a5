"""Several processes over the same cells: nothing is done twice, nothing is damaged, and a lock dies with its owner."""

import errno
import fcntl
import multiprocessing
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import Timeout

from benchmark.errors import BenchmarkError
from benchmark.reporting import render
from benchmark.run.artifacts import Artifact
from benchmark.run.workspace import Run
from benchmark.stages import pipeline
from benchmark.stages.pipeline import run_everything
from tests.stages.helpers import alone, copy_of_data, do, tables

TRAINED = Artifact("generator", "tiny")
FORK = multiprocessing.get_context("fork")  # torch is imported already


def run_and_say(run: Run, log: Path) -> None:
    """Run everything in a forked process; what it prints goes to a file."""
    with log.open("w", encoding="utf-8") as stream:
        sys.stdout = sys.stderr = stream
        run_everything(run)


def hold(run: Run) -> None:
    """Take a lock and never let go."""
    with run.lock(TRAINED.place):
        (run.folder / "held").touch()
        time.sleep(600)


def made(log: Path) -> list[str]:
    """Return the cells that a process made or resumed, from what it printed."""
    lines = log.read_text(encoding="utf-8").splitlines()
    marks = (": make (", ": resume (")
    return [line.partition(mark)[0] + mark for line in lines for mark in marks if mark in line]


def test_two_runs_share_the_work(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "draw_all", lambda *arguments: [])
    run = replace(finished, folder=Path("alone/runs/test2"), results=Path("shared"))
    logs = [Path("first.log"), Path("second.log")]
    processes = [FORK.Process(target=run_and_say, args=(run, log)) for log in logs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0, 0], [log.read_text(encoding="utf-8") for log in logs]
    every = [cell for log in logs for cell in made(log)]
    assert len(every) == len(set(every))
    assert {
        f"{place}: make (" for place in ("models/tiny/seed0", "models/tiny/seed1", "identity/real/seed0/outputs")
    } <= set(every)
    alone, shared = (tables(each) for each in (finished, run))
    assert {name: text.replace(b"test2", b"test") for name, text in shared.items()} == alone
    leftovers = [path for path in run.folder.rglob("*") if path.name.endswith(".part")]
    assert not leftovers


def test_workers_make_what_one_process_makes(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in ("collect", "report"):
        monkeypatch.setattr(pipeline, stage, lambda run: None)
    run = alone(finished, "workers")
    shutil.copytree(finished.folder, run.folder)
    for part in ("models", "identity", "fewshot"):
        shutil.rmtree(run.folder / part / "tiny/seed1")
    assert not run_everything(run, jobs=2)
    results = [path for name in ("generator", "outputs", "outcomes") for path in run.folder.glob(f"*/tiny/**/{name}.*")]
    assert len(results) == 2 * (1 + 1 + 2 * 2 + 1)  # seeds; a generator, what it draws, splits and N_c, few-shot
    for path in results:
        assert path.read_bytes() == (finished.folder / path.relative_to(run.folder)).read_bytes()


def test_a_lock_dies_with_its_owner(finished: Run) -> None:
    run = copy_of_data(finished, "orphaned")
    owner = FORK.Process(target=hold, args=(run,), daemon=True)
    owner.start()
    while not (run.folder / "held").exists():
        assert owner.is_alive()
        time.sleep(0.01)
    with pytest.raises(Timeout):
        do(run, "train", "tiny", wait=False)
    assert not TRAINED.cell(run).folder.exists()
    os.kill(owner.pid or 0, signal.SIGKILL)
    owner.join()
    do(run, "train", "tiny", wait=False)
    assert TRAINED.cell(run).record["status"] == "done"


def test_a_disk_without_locks_is_named(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    said = r"tiny/seed0\.lock cannot be locked \(No locks available\); work on a disk that has locks"
    with pytest.raises(BenchmarkError, match=said):
        do(copy_of_data(finished, "lockless"), "train", "tiny")
