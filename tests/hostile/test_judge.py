"""The rule itself: what it must not let through."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.exits import clean_exit, end
from benchmark.run.workspace import Run
from tests.hostile import judge


def crash(run: Run) -> None:
    raise IndexError("list index out of range")


def whisper(run: Run) -> None:
    end("", 2)


def name_a_class(run: Run) -> None:
    end("KeyError('view')", 2)


def ramble(run: Run) -> None:
    end("x" * 10_000, 2)


def warn(run: Run) -> None:
    warnings.warn("a word of warning", stacklevel=1)
    end("the file is wrong", 2)


def write_elsewhere(run: Run) -> None:
    Path("../pwned").touch()
    end("the file is wrong", 2)


def leave_a_part(run: Run) -> None:
    run.folder.mkdir(parents=True)
    (run.folder / ".store.part").touch()
    end("the file is wrong", 2)


def finish_a_cell(run: Run) -> None:
    run.folder.mkdir(parents=True)
    (run.folder / "run.json").write_text('{"status": "done"}', encoding="utf-8")
    end("the file is wrong", 2)


def do_nothing(run: Run) -> None:
    return


WRONG = (crash, whisper, name_a_class, ramble, warn, write_elsewhere, leave_a_part, finish_a_cell, do_nothing)


@pytest.mark.parametrize("stage", WRONG)
def test_what_is_no_refusal(place: Path, stage: Callable[[Run], None]) -> None:
    ended = judge.stages(place, [stage])
    with pytest.raises(AssertionError):
        judge.refused(ended)


@pytest.mark.parametrize("stage", [crash, warn, whisper])
def test_what_is_no_success(place: Path, stage: Callable[[Run], None]) -> None:
    ended = judge.stages(place, [stage])
    with pytest.raises(AssertionError):
        judge.accepted(ended)


def test_an_error_is_one_line_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), clean_exit():
        end("a\nb\x1b[31m\udcff é 車", 2)
    assert capsys.readouterr().err == "error: a\\nb\\x1b[31m\\udcff é 車\n"


def test_the_stages_of_the_data_come_without_torch() -> None:
    program = "import sys, pipelines.prepare, pipelines.filter, pipelines.split; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
