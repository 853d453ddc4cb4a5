"""A task in a process of its own: one that is killed, or breaks the device, takes no other with it."""

import ctypes
import os
import signal
import subprocess  # nosec B404: words, no shell
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from filelock import Timeout

from benchmark.errors import BenchmarkError, FullDiskError
from benchmark.execution.tasks import Task, artifacts
from benchmark.run import sources
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import needs
from benchmark.run.cells import NOT_DONE, RECORD
from benchmark.run.workspace import Run
from benchmark.training.interruption import Stop

HELD, FULL = os.EX_TEMPFAIL, os.EX_IOERR  # exit codes: another process is making it, the disk is full
PR_SET_PDEATHSIG = 1  # prctl of Linux: which signal to get when the parent dies
CLOCK = 2.0  # seconds by which times of files can be behind
PARENT = "BENCHMARK_PARENT"  # environment variable: the process that this one is to end with


class Process(Protocol):
    """The process of a task, wherever it runs, as the scheduler uses it."""

    @property
    def stdout(self) -> Iterable[str] | None:
        """Return what it prints, line by line, if it does not print by itself."""

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""

    def terminate(self) -> None:
        """Have it end gently."""


def start(request: Path, task: Task, wait: bool, threads: int, **options: Any) -> "subprocess.Popen[str]":
    """Start the process of a task of the run in a request; `options` are those of Popen.

    Its session is its own: Ctrl-C comes to this process, which passes it on.
    """
    paths = filter(None, (str(sources.PROJECT), os.environ.get("PYTHONPATH")))
    own = {"PYTHONPATH": os.pathsep.join(paths), PARENT: str(os.getpid())}
    own |= {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}  # what it prints comes line by line
    # -P: nothing is imported from the working folder
    command = [sys.executable, "-P", "-m", "benchmark.execution.cell", str(request), *task.words]
    return subprocess.Popen(  # noqa: S603  # nosec B603
        [*command, *([] if wait else ["--no-wait"])],
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        **options,
    )


def check_ended(run: Run, task: Task, code: int, since: float = 0.0) -> None:
    """Raise what the exit code of a task's process tells, which began at a time in seconds since 1970.

    Raises:
        Timeout: another process makes the same.
        FullDiskError: the disk is full.
        BenchmarkError: the work did not come to its end; a record says why.
    """
    if code == HELD:
        raise Timeout(str(task))
    if code == FULL:
        raise FullDiskError(f"no space left on the disk for {run.folder} ({task}); free some and run again")
    if code:
        raise BenchmarkError(f"{task}: {_reason(run, task, code, since)}")


def _reason(run: Run, task: Task, code: int, since: float) -> str:
    """Return why a process ended; one that was killed could not record it, which is done here."""
    reason = f"killed by {signal.Signals(-code).name}" if code < 0 else f"its process ended with code {code}"
    if code == -signal.SIGKILL:
        reason += ", as the system does where there is too little memory"
    for artifact in _all_of(run, task):
        path = artifact.cell(run).folder / RECORD
        if not path.is_file() or path.stat().st_mtime < since - CLOCK:
            continue
        record = artifact.cell(run).record
        if code > 0 and record.get("status") in NOT_DONE:
            return str(record["reason"])
        if record.get("status") == "running":
            with suppress(Timeout), run.lock(artifact.place, wait=False):
                artifact.cell(run).amend("interrupted", reason)
    return reason


def _all_of(run: Run, task: Task) -> list[Artifact]:
    """Return what a task makes, after what that is made from."""
    found: dict[Artifact, None] = {}
    waiting = artifacts(run, task)
    while waiting:
        artifact = waiting.pop(0)
        if artifact not in found:
            found[artifact] = None
            with suppress(BenchmarkError):
                waiting.extend(needs(run, artifact))
    return list(found)


def end_with_parent() -> None:
    """Have this process end gently when the one that started it dies."""
    parent = os.environ.pop(PARENT, "")
    if not parent:
        return
    Stop.hurries = False  # the parent can pass on a signal that this process has got already
    signal.signal(signal.SIGHUP, _orphaned)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    if os.getppid() != int(parent):  # it died before the line above
        signal.raise_signal(signal.SIGTERM)


def _orphaned(number: int, frame: FrameType | None) -> None:
    """End gently; the signal comes for each thread of the parent, and a second SIGTERM would be an order to hurry."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.raise_signal(signal.SIGTERM)
