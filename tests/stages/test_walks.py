"""Settings that come and go, and runs that are killed on the way: what is skipped is what the settings would make."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.config.settings import override
from benchmark.files import sha256
from benchmark.run.cells import RECORD
from benchmark.run.workspace import Run
from benchmark.seeding import rng
from benchmark.stages.pipeline import run_everything
from tests.stages.small import copy, small_run

VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"data.views": ["right", "left"]},
    {"training.images": 48, "extractor.view_epochs": 2},
    {"evaluation.draws": 2, "fewshot.ways": 3},
)
PARTS = ("data/store", "extractors", "models", "identity", "fewshot")  # where cells are


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with small_run(tmp_path_factory.mktemp("walks")) as run:
        run_everything(run)
        yield run


class Killed(BaseException):
    """The process is no more: nothing is written after it."""


def killed(run: Run, steps: int) -> bool:
    """Do every stage until folders were changed `steps` times; one that is then removed is left by half."""
    left, move, remove = iter(range(steps)), Path.replace, shutil.rmtree

    def moved(path: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise Killed
        return move(path, target)

    def removed(folder: Path, ignore_errors: bool = False) -> None:
        temporary = folder.name.startswith(".")
        if not temporary and next(left, None) is None:
            for path in sorted(folder.glob("*"))[:1]:
                path.unlink()
            raise Killed
        remove(folder, ignore_errors)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", moved)
        patch.setattr(shutil, "rmtree", removed)
        try:
            run_everything(run)
        except Killed:
            return True
    return False


def results(run: Run) -> dict[str, str]:
    """Return the hash of every file in the cells but of their records."""
    found = [path for part in PARTS for path in (run.folder / part).rglob("*") if path.is_file()]
    return {path.relative_to(run.folder).as_posix(): sha256(path) for path in found if path.name != RECORD}


def test_a_change_that_is_taken_back_wherever_it_was_killed(finished: Run, tmp_path: Path) -> None:
    before = results(finished)
    other = override(finished.settings, {"training.images": 48, "evaluation.nc": [3]})
    steps, ended = 0, False
    while not ended:
        run = copy(finished, tmp_path / str(steps))
        ended = not killed(replace(run, settings=other), steps)
        run_everything(run)
        assert before.items() <= results(run).items(), steps
        steps += 1
    assert steps > 20


def test_after_any_walk_the_results_are_those_of_the_settings(finished: Run, tmp_path: Path) -> None:
    random = rng("walk")
    walked = [
        replace(finished, folder=tmp_path / "walked", settings=override(finished.settings, variant))
        for variant in VARIANTS
    ]
    ends = [killed(walked[random.integers(len(walked))], int(random.integers(100))) for _ in range(8)]
    assert set(ends) == {True, False}
    for number, variant in enumerate(walked):
        fresh = replace(variant, folder=tmp_path / f"fresh{number}")
        run_everything(fresh)
        run_everything(variant)
        assert results(variant) == results(fresh)
