"""A training in a process of its own: one that is killed, or breaks the device, takes no other with it."""

import ctypes
import json
import os
import signal
import subprocess  # nosec B404: words, no shell
import sys
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from benchmark import sources
from benchmark.cells import Cell
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError, FullDiskError
from benchmark.exits import INTERRUPTED, clean_exit
from benchmark.settings import Profile
from benchmark.stages import train
from benchmark.stages.data import open_store
from benchmark.workspace import Run

HELD, FULL = os.EX_TEMPFAIL, os.EX_IOERR  # exit codes: another process is at it, the disk is full
PR_SET_PDEATHSIG = 1  # prctl of Linux: which signal to get when the parent dies


def train_apart(run: Run, model: str, seed: int, wait: bool) -> None:
    """Do what `train.train` does, in a process of its own where there is something to do.

    Raises:
        Timeout: another process trains the same, and `wait` is false.
        FullDiskError: the disk is full.
        BenchmarkError: the training did not come to its end; the cell says why.
    """
    cell = _cell(run, model, seed)
    if cell.done:
        train.train(run, model, seed, wait)
        return
    code = _ended(_started(run, model, seed, wait))
    if code == HELD:
        raise Timeout(train.place(model, seed))
    if code == FULL:
        raise FullDiskError(f"no space left on the disk for {cell.folder}; free some and run again")
    if code:
        raise BenchmarkError(_reason(run, model, seed, cell, code))


def _cell(run: Run, model: str, seed: int) -> Cell:
    device = open_fabric(run.device, run.settings.training.precision).device
    return train.cell(run, model, seed, open_store(run), device.type)


def _started(run: Run, model: str, seed: int, wait: bool) -> "subprocess.Popen[str]":
    """Start the process in a session of its own: Ctrl-C comes to this one, which passes it on."""
    places = {"folder": str(run.folder), "results": str(run.results), "plugins": list(map(str, run.plugins))}
    request = {**places, "parent": os.getpid(), "device": run.device, "settings": run.settings.model_dump_json()}
    paths = filter(None, (str(sources.PROJECT), os.environ.get("PYTHONPATH")))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}  # the very sources that run here
    # -P: nothing is imported from the working folder
    command = [sys.executable, "-P", "-m", "benchmark.stages.apart", model, str(seed), "wait" if wait else ""]
    process = subprocess.Popen(  # noqa: S603  # nosec B603
        command, stdin=subprocess.PIPE, env=environment, text=True, start_new_session=True
    )
    if process.stdin:
        process.stdin.write(json.dumps(request))
        process.stdin.close()
    return process


def _ended(process: "subprocess.Popen[str]") -> int:
    """Return the exit code; an interruption ends the process too, which first saves its state."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def _reason(run: Run, model: str, seed: int, cell: Cell, code: int) -> str:
    """Return why a training ended; one that was killed could not record it, which is done here."""
    record = cell.record
    if code > 0 and record.get("status") in ("interrupted", "diverged", "failed"):
        return str(record["reason"])
    reason = f"killed by {signal.Signals(-code).name}" if code < 0 else f"its process ended with code {code}"
    with suppress(Timeout), run.lock(train.place(model, seed), wait=False):
        if cell.record.get("status") == "running":
            cell.amend("interrupted", reason)
    return reason


def main() -> None:
    """Train what the parent asks for on stdin and in the arguments, and end gently when it has died."""
    model, seed, wait = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    asked = json.load(sys.stdin)
    if os.getppid() != asked["parent"]:  # it died before the line above
        sys.exit(INTERRUPTED)
    settings = Profile.model_validate_json(asked["settings"])
    folder, results, *plugins = map(Path, (asked["folder"], asked["results"], *asked["plugins"]))
    run = Run(settings, folder, results, asked["device"], tuple(plugins))
    with clean_exit():
        try:
            train.train(run, model, int(seed), bool(wait))
        except Timeout:
            sys.exit(HELD)
        except FullDiskError:
            sys.exit(FULL)


if __name__ == "__main__":
    main()
