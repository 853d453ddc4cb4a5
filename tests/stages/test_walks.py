"""Settings that come and go, and runs that are killed on the way: what is skipped is what the settings would make."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.cells import RECORD
from benchmark.files import sha256
from benchmark.seeding import generator
from benchmark.settings import override
from benchmark.stages.everything import run_everything
from benchmark.workspace import Run
from tests.stages.small import small_run


class Killed(BaseException):
    """The process is no more: nothing is written after it."""


def killed(run: Run, steps: int) -> None:
    """Do every stage until the folders were changed `steps` times; the next removal of a folder is left half done."""
    left = iter(range(steps))

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def counting(path: Path, *arguments: Any, **options: Any) -> Any:
            if next(left, None) is None:
                if change is shutil.rmtree:
                    _half_removed(path)
                raise Killed
            return change(path, *arguments, **options)

        return counting

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
        run_everything(run)


def _half_removed(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != RECORD:
            path.unlink()


def results(run: Run) -> dict[str, str]:
    """Return the hash of every file in the cells, but of their records."""
    parts = ("data/store", "extractors", "models", "identity", "fewshot")
    found = [
        path for part in parts for path in (run.folder / part).rglob("*") if path.is_file() and path.name != RECORD
    ]
    return {path.relative_to(run.folder).as_posix(): sha256(path) for path in found}


VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"data.views": ["right", "left"]},
    {"training.images": 48, "extractor.view_epochs": 2},
    {"evaluation.draws": 2, "fewshot.ways": 3},
)


def test_after_any_walk_the_results_are_those_of_the_settings(tmp_path: Path) -> None:
    random = generator("walk")
    with small_run(tmp_path) as run:
        walked = [replace(run, settings=override(run.settings, variant)) for variant in VARIANTS]
        for _ in range(12):
            killed(walked[random.integers(len(walked))], int(random.integers(40)))
        for number, variant in enumerate(walked):
            fresh = replace(variant, folder=tmp_path / f"fresh{number}")
            run_everything(fresh)
            run_everything(variant)
            assert results(variant) == results(fresh)
