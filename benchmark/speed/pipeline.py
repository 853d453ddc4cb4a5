"""What `dvc repro` adds to the work of its stages, in a copy of the project."""

import os
import re
import resource
import shutil
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]

from benchmark.errors import BenchmarkError
from benchmark.sources import PROJECT
from benchmark.speed.rows import Goal, Row, Section
from benchmark.workspace import Run

START = "import sys; from {}.cli import main; sys.exit(main())"  # of dvc and benchmark
PROFILE = "smoke"  # every stage and a model of each family, in minutes
NOTHING = Goal("seconds", 10.0, least=False)
NOTES = (
    "Each was run once, in a copy of the files that git does not ignore. `benchmark run` does the work of all stages "
    "in one process; beyond it `dvc repro` starts processes, imports and hashes. Shares are of CPU "
    "seconds, which depend less on what else the machine does.",
)


class Taken(NamedTuple):
    """Seconds that pass, and seconds of all processors."""

    wall: float
    cpu: float


def measure(run: Run) -> Section:
    """Run the pipeline twice with DVC, and once in one process.

    Raises:
        BenchmarkError: the project is no git repository, or a run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        first, second = (copied(PROJECT, Path(folder) / name) for name in ("dvc", "process"))
        pipeline, nothing = _taken(first, "dvc", "repro"), _taken(first, "dvc", "repro")
        work = _taken(second, "benchmark", "run")
    rows = [
        _row("dvc repro", pipeline, pipeline),
        _row("benchmark run", work, pipeline),
        _row("dvc repro beyond it", Taken(pipeline.wall - work.wall, pipeline.cpu - work.cpu), pipeline),
        _row("dvc repro with nothing to do", nothing, pipeline, NOTHING),
    ]
    return Section("pipeline", f"profile {PROFILE}", rows, NOTES)


def _row(what: str, taken: Taken, whole: Taken, goal: Goal | None = None) -> Row:
    return Row(what, {"seconds": taken.wall, "CPU seconds": taken.cpu, "share": taken.cpu / whole.cpu}, goal)


def copied(project: Path, folder: Path) -> Path:
    """Copy what git does not ignore to `folder`, a repository of its own in which `smoke` is active.

    Raises:
        BenchmarkError: the project is no git repository.
    """
    try:
        listed = _git(project, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    except (OSError, subprocess.CalledProcessError):
        raise BenchmarkError(
            f"{project} is no git repository, whose files could be copied; clone the project, or leave out pipeline"
        ) from None
    for name in filter(None, listed):
        if (project / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / name, folder / name)
    _git(folder, "init", "-q")
    params = folder / "params.yaml"
    text = re.sub(r"^active: \S+", f"active: {PROFILE}", params.read_text(encoding="utf-8"), flags=re.MULTILINE)
    params.write_text(text, encoding="utf-8")
    return folder


def _git(folder: Path, *words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603  # nosec


def _taken(folder: Path, program: str, *words: str) -> Taken:
    """Return what a command takes, in the folder and with its sources."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # stages start `python`
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "DVC_NO_ANALYTICS": "1"}
    command, start = [sys.executable, "-c", START.format(program), *words], _now()
    with _started(command, folder, environment) as process:
        output, errors = process.communicate()
    if process.returncode:
        last = (errors or output).strip().splitlines()[-1:]
        raise BenchmarkError(f"`{program} {' '.join(words)}` failed in a copy of the project: {' '.join(last)}")
    return Taken(*(now - then for now, then in zip(_now(), start, strict=True)))


@contextmanager
def _started(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Yield a process, and kill it with all that it has started if the block does not come to its end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603  # nosec
        command, cwd=folder, env=environment, text=True, stdout=pipe, stderr=pipe
    ) as process:
        try:
            yield process
        except BaseException:
            with suppress(psutil.NoSuchProcess):
                for each in psutil.Process(process.pid).children(recursive=True):
                    each.kill()
            process.kill()
            raise


def _now() -> Taken:
    """Return the clock, and what the processes have taken that were started here and have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(time.perf_counter(), ended.ru_utime + ended.ru_stime)
