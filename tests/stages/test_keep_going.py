"""One bad cell does not sink the rest: what fails is recorded with its reason, and the others go on."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from filelock import Timeout

from benchmark.cells import Cell
from benchmark.cli import main
from benchmark.errors import BenchmarkError, FullDiskError, InterruptedRun
from benchmark.reporting import render
from benchmark.stages import apart, everything
from benchmark.stages.apart import train_apart
from benchmark.stages.attempts import Attempts
from benchmark.stages.everything import run_everything
from benchmark.stages.train import train
from benchmark.workspace import Run
from tests.stages.helpers import changed, copy_of_data
from tests.tools import TINY

APART = ("killed", "stopped")  # the others are trained in this process, which is quicker
CYCLE = "batch = batches.draw()"
BROKEN = {  # what is put in the place of a part of the tiny model
    "hopeless": (".mean()", ".mean() / 0"),
    "buggy": (CYCLE, "raise RuntimeError('a <b>bug</b>\\nof mine')"),
    "killed": (CYCLE, "import os; os.kill(os.getpid(), 9)"),
    "stopped": (CYCLE, f"{CYCLE}; import os; os.kill(os.getpid(), 15)"),
    "mute": ("return torch.tanh(self.network(image))", "raise RuntimeError('I draw nothing')"),
}


def plugin(name: str) -> Path:
    path = Path(f"{name}.py")
    path.write_text(TINY.read_text(encoding="utf-8").replace(*BROKEN[name]), encoding="utf-8")
    return path


def status(run: Run, cell: str) -> tuple[str, str]:
    record = Cell(run.folder / cell, {}).record
    return record.get("status", "none"), record.get("reason", "")


def train_some_apart(run: Run, model: str, seed: int, wait: bool) -> None:
    (train_apart if model in APART else train)(run, model, seed, wait)


@pytest.fixture(scope="module")
def kept_going(finished: Run) -> Iterator[tuple[Run, list[str]]]:
    """The finished run with five more models, none of which comes to its end; one fails after its training."""
    plugins = (TINY, *map(plugin, BROKEN))
    run = replace(changed(finished, models=["tiny", *BROKEN], seeds=1), folder=Path("runs/kept"), plugins=plugins)
    shutil.copytree(finished.folder, run.folder)
    train(run, "mute", 0)
    results = replace(run, results=Path("kept"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "draw_all", lambda *arguments: [])
        patch.setattr(everything, "train_apart", train_some_apart)
        yield results, run_everything(results, keep_going=True)


def test_every_failure_is_told_and_recorded(kept_going: tuple[Run, list[str]]) -> None:
    run, failed = kept_going
    reasons = {
        "hopeless": ("diverged", "the loss loss is inf in cycle 1"),
        "buggy": ("failed", "RuntimeError: a <b>bug</b> of mine"),
        "killed": ("interrupted", "killed by SIGKILL"),
        "stopped": ("interrupted", "saved after cycle 1; the same command goes on from there"),
    }
    for model, expected in reasons.items():
        assert status(run, f"models/{model}/seed0") == expected
        assert any(model in said and expected[1] in said for said in failed)
    assert status(run, "models/mute/seed0")[0] == "done"
    assert status(run, "identity/mute/seed0/outputs") == ("failed", "RuntimeError: I draw nothing")
    assert "mute seed 0: RuntimeError: I draw nothing" in failed
    assert len(failed) == len(BROKEN)


def test_the_others_are_in_the_tables(kept_going: tuple[Run, list[str]], finished: Run) -> None:
    run, _ = kept_going
    models = set(pd.read_csv(run.results / "identity.csv")["model"])
    assert models == {"copy", "mean_image", "real", "tiny"}
    said = (run.results / "identity.md").read_text(encoding="utf-8")
    for model in BROKEN:
        row = next(line for line in said.splitlines() if line.startswith(f"| {model}"))
        assert set(row.split(" | ")[1:]) <= {"-", "- |"}
    assert "killed by SIGKILL" in said
    assert "<b>" not in said


def test_a_run_without_it_stops_at_the_first(finished: Run) -> None:
    run = replace(
        changed(copy_of_data(finished, "stopping"), models=["hopeless", "tiny"]), plugins=(TINY, plugin("hopeless"))
    )
    shutil.copytree(finished.folder / "extractors", run.folder / "extractors")
    with pytest.raises(BenchmarkError, match="hopeless seed 0 diverged: the loss loss is inf in cycle 1; lower"):
        run_everything(run)
    assert not (run.folder / "models" / "tiny").exists()


def test_a_failed_training_is_tried_again(
    kept_going: tuple[Run, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = kept_going
    with pytest.raises(RuntimeError, match="bug"):
        train(run, "buggy", 0)
    assert "buggy seed 0: resume (was failed)" in capsys.readouterr().out


class Workers:
    """Work that fails in the given way, and what was asked of it."""

    def __init__(self, **errors: BaseException) -> None:
        self.errors, self.asked = errors, list[tuple[str, bool]]()

    def __call__(self, model: str, seed: int, wait: bool) -> None:
        self.asked.append((model, wait))
        error = self.errors.get(model)
        if error is not None and not (isinstance(error, Timeout) and wait):
            raise error


PLACES = [("a", 0), ("b", 0), ("c", 0)]


def test_what_another_process_is_at_comes_last() -> None:
    workers = Workers(a=Timeout("a"))
    Attempts().each(workers, PLACES)
    assert workers.asked == [("a", False), ("b", False), ("c", False), ("a", True)]


def test_what_has_failed_is_not_measured() -> None:
    attempts, training, measuring = Attempts(keep_going=True), Workers(b=BenchmarkError("no")), Workers()
    attempts.each(training, PLACES)
    attempts.each(measuring, [*PLACES, ("b", 1)])
    assert [model for model, _ in measuring.asked] == ["a", "c", "b"]
    assert attempts.failed == {("b", 0): "b seed 0: no"}


@pytest.mark.parametrize("error", [FullDiskError("full"), InterruptedRun("saved"), KeyboardInterrupt()])
def test_what_concerns_all_ends_all(error: BaseException) -> None:
    attempts, workers = Attempts(keep_going=True), Workers(b=error)
    with pytest.raises(type(error)):
        attempts.each(workers, PLACES)
    assert workers.asked == [("a", False), ("b", False)]


def test_the_exit_code_is_1(
    finished: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    asked: list[bool] = []

    def failing(run: Run, keep_going: bool) -> list[str]:
        asked.append(keep_going)
        run.results.mkdir(parents=True)
        for name in ("identity.md", "fewshot.md"):
            (run.results / name).write_text("table", encoding="utf-8")
        return ["ours seed 0: the loss critic is nan in cycle 3"]

    monkeypatch.setattr(everything, "run_everything", failing)
    monkeypatch.setattr(sys, "argv", ["benchmark", "run", "--profile", "smoke", "--keep-going"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, asked) == (1, [True])
    assert capsys.readouterr().err == "failed: ours seed 0: the loss critic is nan in cycle 3\n"


def test_an_interruption_reaches_the_training_once(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes to the parent alone, which passes it on and waits until the state is saved."""
    waited: list[str] = []

    class Process:
        def wait(self) -> int:
            waited.append("wait")
            if len(waited) == 1:
                raise KeyboardInterrupt
            return 130

        def terminate(self) -> None:
            waited.append("terminate")

    monkeypatch.setattr(apart, "_started", lambda *arguments: Process())
    with pytest.raises(KeyboardInterrupt):
        train_apart(replace(finished, folder=copy_of_data(finished, "asked").folder), "tiny", 0, True)
    assert waited == ["wait", "terminate", "wait"]
