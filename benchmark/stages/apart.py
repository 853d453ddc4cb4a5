"""A training in a process of its own: one that is killed, or breaks the device, takes no other with it."""

import ctypes
import json
import os
import signal
import subprocess  # nosec B404: words, no shell
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import Timeout

from benchmark import sources
from benchmark.cells import Cell
from benchmark.environment import open_fabric, use_threads
from benchmark.errors import BenchmarkError, FullDiskError
from benchmark.exits import INTERRUPTED, clean_exit
from benchmark.settings import Profile
from benchmark.stages import train
from benchmark.stages.attempts import Task, Work
from benchmark.stages.data import open_store
from benchmark.workspace import Run

HELD, FULL = os.EX_TEMPFAIL, os.EX_IOERR  # exit codes: another process is at it, the disk is full
NOT_DONE = ("interrupted", "diverged", "failed")  # status of a cell
PR_SET_PDEATHSIG = 1  # prctl of Linux: which signal to get when the parent dies

Process = subprocess.Popen[str]
Elsewhere = Callable[[str, int, bool], int]  # model, seed, whether to wait; returns an exit code


def training(run: Run) -> Task:
    """Return the task of training the run's models."""
    return Task("models", partial(train.train, run), lambda model, seed: [_cell(run, model, seed)])


def train_apart(run: Run, model: str, seed: int, wait: bool) -> None:
    """Do what `train.train` does, in a process of its own where there is something to do; raises as `do_apart`."""
    do_apart(run, training(run), lambda *place: _ended(_started(run, *place)), model, seed, wait)


def do_apart(run: Run, task: Task, elsewhere: Elsewhere, model: str, seed: int, wait: bool) -> None:
    """Do a task for one place elsewhere, where there is something to do.

    Raises:
        Timeout: another process does the same, and `wait` is false.
        FullDiskError: the disk is full.
        BenchmarkError: the work did not come to its end; a cell says why.
    """
    name, cells = f"{task.name}/{model}/seed{seed}", task.cells(model, seed)
    if all(cell.done for cell in cells):
        task.work(model, seed, wait)
        return
    code = elsewhere(model, seed, wait)
    if code == HELD:
        raise Timeout(name)
    if code == FULL:
        raise FullDiskError(f"no space left on the disk for {run.folder / name}; free some and run again")
    if code:
        raise BenchmarkError(_reason(run, name, cells, code))


def _cell(run: Run, model: str, seed: int) -> Cell:
    device = open_fabric(run.device, run.settings.training.precision).device
    return train.cell(run, model, seed, open_store(run), device.type)


def _started(run: Run, model: str, seed: int, wait: bool) -> Process:
    process = start(run, "benchmark.stages.apart", model, str(seed), "wait" if wait else "")
    if process.stdin:
        process.stdin.close()
    return process


def start(run: Run, module: str, *words: str, **options: Any) -> Process:
    """Start a module's `main`, which begins with `asked_run`; `options` are those of Popen.

    Its session is its own: Ctrl-C comes to this process, which passes it on.
    """
    places = {"folder": str(run.folder), "results": str(run.results), "plugins": list(map(str, run.plugins))}
    request = {**places, "parent": os.getpid(), "device": run.device, "settings": run.settings.model_dump_json()}
    paths = filter(None, (str(sources.PROJECT), os.environ.get("PYTHONPATH")))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}  # the very sources that run here
    # -P: nothing is imported from the working folder
    command = [sys.executable, "-P", "-m", module, *words]
    options["env"] = {**environment, **options.get("env", {})}
    process = subprocess.Popen(  # noqa: S603  # nosec B603
        command, stdin=subprocess.PIPE, text=True, start_new_session=True, **options
    )
    if process.stdin:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    return process


def _ended(process: Process) -> int:
    """Return the exit code; an interruption ends the process too, which first saves its state."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def _reason(run: Run, name: str, cells: list[Cell], code: int) -> str:
    """Return why a process ended; one that was killed could not record it, which is done here."""
    reasons = (cell.record["reason"] for cell in cells if cell.record.get("status") in NOT_DONE)
    recorded = next(reasons, None)
    if code > 0 and recorded is not None:
        return str(recorded)
    reason = f"killed by {signal.Signals(-code).name}" if code < 0 else f"its process ended with code {code}"
    with suppress(Timeout), run.lock(name, wait=False):
        for cell in cells:
            if cell.record.get("status") == "running":
                cell.amend("interrupted", reason)
    return reason


def _orphaned(number: int, frame: FrameType | None) -> None:
    """End gently; the signal comes for each thread of the parent, and a second SIGTERM would be an order to hurry."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.raise_signal(signal.SIGTERM)


def asked_run() -> Run:
    """Return the run that the parent asks for in the first line on stdin; when that dies, this process is to end."""
    signal.signal(signal.SIGHUP, _orphaned)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    asked = json.loads(sys.stdin.readline())
    if os.getppid() != asked["parent"]:  # it died before the first line of this function
        sys.exit(INTERRUPTED)
    settings = Profile.model_validate_json(asked["settings"])
    use_threads(settings.threads)
    folder, results, *plugins = map(Path, (asked["folder"], asked["results"], *asked["plugins"]))
    return Run(settings, folder, results, asked["device"], tuple(plugins))


def attempt(work: Work, model: str, seed: int, wait: bool) -> None:
    """Do the work for one place, and exit with `HELD` or `FULL` if another process is at it or the disk is full."""
    try:
        work(model, seed, wait)
    except Timeout:
        sys.exit(HELD)
    except FullDiskError:
        sys.exit(FULL)


def main() -> None:
    """Train what the parent asks for on stdin and in the arguments."""
    model, seed, wait = sys.argv[1:]
    run = asked_run()
    with clean_exit():
        attempt(partial(train.train, run), model, int(seed), bool(wait))


if __name__ == "__main__":
    main()
