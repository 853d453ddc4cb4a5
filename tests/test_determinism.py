"""The same settings give the same bytes twice on one machine with one number of threads, whatever else is different."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from benchmark.config.settings import override
from tests.tools import PROJECT

SMALLER = {
    "models": ["vanilla"],
    "seeds": 1,
    "training.images": 48,
    "training.batch_size": 16,
    "training.refresh_batches": 2,
    "evaluation.nc": [2],
    "fewshot.shots": [2],
    "fewshot.controls": ["no_augmentation"],
    "fewshot.steps": 2,
}
PLAIN = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
ODD = {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Chatham", "LC_ALL": "C", "BACKWARDS": "1"}
COSTS = "rows/costs.csv"  # seconds and memory


class Backwards:
    """A folder listed in the opposite order."""

    scandir = os.scandir

    def __init__(self, *arguments: Any) -> None:
        with Backwards.scandir(*arguments) as entries:
            self.entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

    def __iter__(self) -> Iterator["os.DirEntry[str]"]:
        return self.entries

    def __next__(self) -> "os.DirEntry[str]":
        return next(self.entries)

    def __enter__(self) -> "Backwards":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def close(self) -> None:
        pass


def whole_run() -> None:
    """Do every stage on a few pictures in the working folder, without figures."""
    from benchmark.reporting import render
    from benchmark.stages.pipeline import run_everything
    from tests.stages.conftest import empty_run

    if os.environ.get("BACKWARDS"):
        listdir = os.listdir
        os.scandir = Backwards  # type: ignore[assignment,misc]
        os.listdir = lambda *path: sorted(listdir(*path), reverse=True)  # type: ignore[assignment]
    render.draw_all = lambda *arguments: []  # type: ignore[assignment]
    with empty_run(Path.cwd(), "run") as run:
        run_everything(replace(run, settings=override(run.settings, SMALLER)))


def results(folder: Path, threads: int, **environment: str) -> dict[str, bytes]:
    """Return every file of the results of a run in a process of its own."""
    folder.mkdir()
    own = {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive", **environment}
    command = [sys.executable, "-c", "from tests.test_determinism import whole_run; whole_run()"]
    process = subprocess.run(command, cwd=folder, env={**os.environ, **own}, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    found = {path.relative_to(folder / "results").as_posix(): path for path in (folder / "results").rglob("*.*")}
    return {name: path.read_bytes() for name, path in found.items()}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_around_a_run_does_not_show_in_its_results(threads: int, tmp_path: Path) -> None:
    first = results(tmp_path / "first", threads, **PLAIN)
    second = results(tmp_path / "the second, été", threads, **ODD)
    assert {"identity.csv", "fewshot.csv", "views.csv", COSTS, "rows/identity.parquet"} <= first.keys()
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} <= {COSTS, "report.html"}
