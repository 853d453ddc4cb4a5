"""Refusals of the stages, and what they survive."""

import os
import re
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.config import settings
from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.execution.stages import measure_identity
from benchmark.run.cells import Cell
from benchmark.run.workspace import Run, run_of_profile
from benchmark.stages.data import check_nc, split
from benchmark.stages.pipeline import run_everything
from benchmark.stages.report import report
from benchmark.stages.sample import sample_images
from benchmark.training.sampling import AuxiliaryBatches
from models.interface import Batch
from tests.stages.helpers import changed, copy_of_data, do, reported
from tests.tools import PROJECT, TINY


def test_too_many_classes() -> None:
    run = run_of_profile(settings.profile("smoke", PROJECT / "params.yaml"), active="smoke")
    with pytest.raises(BenchmarkError, match=r"N_c = 6 .* 5 identities"):
        check_nc(changed(run, evaluation__nc=[3, 6]), 5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"evaluation__nc": [3, 6]}, r"N_c: 3, .* 5 .* 6\n"),
        ({"evaluation__nc": [6, 9]}, r"N_c: 5, .* 5 .* 6, 9\n"),
        ({"fewshot__ways": 9}, r"few-shot: 5 ways with 2, 5 shots instead of 9"),
        ({"fewshot__shots": [5, 10]}, "few-shot: 5 ways with 5 shots"),
        ({"fewshot__shots": [10]}, r"few-shot: .* 2 .* 11 images"),
    ],
)
def test_own_images_lower_what_they_are_too_few_for(
    finished: Run, changes: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = copy_of_data(finished, "lowered")
    split(changed(copy, **changes))
    shutil.rmtree(copy.folder)
    assert re.search(f"^{said}", capsys.readouterr().out, re.MULTILINE)


def test_too_many_classes_on_the_command_line(
    finished: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(PROJECT / "params.yaml", ".")
    line = "run --profile smoke --nc 2 99"
    monkeypatch.setattr(sys, "argv", ["benchmark", *line.split(), "--set", "data.standard=5"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert re.match(r"error: N_c = 99 .* 5 identities", said)
    assert said.count("\n") == 1
    assert not list(Path("runs").glob("adhoc-*"))


def test_an_unknown_model_stops_before_anything_is_made(finished: Run) -> None:
    nowhere = replace(changed(finished, models=["tiny", "tinny"]), folder=Path("runs/nowhere"))
    with pytest.raises(BenchmarkError, match=r"tinny: .* tiny"):
        run_everything(nowhere)
    assert not nowhere.folder.exists()


@pytest.mark.parametrize("control", ["copy", "no_augmentation"])
def test_a_model_does_not_have_the_name_of_a_control(finished: Run, tmp_path: Path, control: str) -> None:
    plugin = Path(shutil.copy(TINY, tmp_path / f"{control}.py"))
    run = replace(changed(finished, models=[control]), folder=Path("runs/nowhere"), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match=f"{control}: a control"):
        run_everything(run)
    assert not run.folder.exists()


def test_missing_steps_are_named(finished: Run) -> None:
    empty = replace(finished, folder=Path("runs/empty"))
    with pytest.raises(BenchmarkError, match=r"runs/empty/data/split\.parquet .*`benchmark run`"):
        do(empty, "train", "tiny")
    shutil.copytree(finished.data, empty.data)
    with pytest.raises(BenchmarkError, match="runs/empty"):
        reported(empty)


@pytest.mark.parametrize("task", ["identity", "view"])
def test_a_damaged_judge_is_trained_again(finished: Run, task: str, capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_of_data(finished, f"damaged_{task}")
    shutil.copytree(finished.folder / "extractors", copy.folder / "extractors")
    path = copy.folder / "extractors" / task / "resnet18.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    do(copy, "judge", task)
    assert f"extractors/{task}: make (resnet18.safetensors was altered)" in capsys.readouterr().out
    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["data/split.parquet", "data/store/images.json"])
def test_a_damaged_file_is_named(finished: Run, tmp_path: Path, name: str) -> None:
    copy = replace(finished, folder=tmp_path / "runs" / "run", results=tmp_path / "results")
    shutil.copytree(finished.folder, copy.folder)
    (copy.folder / name).write_bytes(b"\x00damaged")
    with pytest.raises(BenchmarkError, match=name):
        measured_and_reported(copy)
    assert not copy.results.exists()


@pytest.mark.parametrize(
    "name", ["facts.json", "identity.parquet", "fewshot.parquet", "models.csv", "samples/tiny.png"]
)
def test_damaged_rows_are_named(finished: Run, tmp_path: Path, name: str) -> None:
    copy = replace(finished, results=tmp_path)
    shutil.copytree(finished.results / "rows", tmp_path / "rows")
    (tmp_path / "rows" / name).write_bytes(b"\x00damaged")
    with pytest.raises(BenchmarkError, match=name):
        report(copy)
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_without_rows_there_is_no_report(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"facts\.json.*`benchmark run` and `dvc repro`"):
        report(replace(finished, results=tmp_path))


def measured_and_reported(run: Run) -> None:
    measure_identity(run)
    reported(run)


def test_an_interrupted_model_is_resumed(
    finished: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, draw, drawn = copy_of_data(finished, "interrupted"), AuxiliaryBatches.draw, []

    def interrupting(batches: AuxiliaryBatches) -> Batch:
        drawn.append(1)
        if len(drawn) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return draw(batches)

    with monkeypatch.context() as patch:
        patch.setattr(AuxiliaryBatches, "draw", interrupting)
        with pytest.raises(InterruptedRun, match="saved after cycle 3"):
            do(run, "train", "tiny")
    folder = Path("models/tiny/seed0")
    assert Cell(run.folder / folder).record["status"] == "interrupted"
    capsys.readouterr()
    do(run, "train", "tiny")
    assert "models/tiny/seed0: resume (was interrupted)" in capsys.readouterr().out
    for name in ("generator.safetensors", "log.csv"):
        assert (run.folder / folder / name).read_bytes() == (finished.folder / folder / name).read_bytes()


def test_a_model_that_diverges(finished: Run) -> None:
    plugin = Path("hopeless.py")
    plugin.write_text(TINY.read_text(encoding="utf-8").replace(".mean()", ".mean() / 0"), encoding="utf-8")
    run = replace(copy_of_data(finished, "diverging"), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match=r"hopeless seed 0 diverged: .* inf in cycle 1"):
        do(run, "train", "hopeless")
    assert Cell(run.folder / "models/hopeless/seed0").record["status"] == "diverged"


def test_a_model_that_refuses_the_settings(finished: Run) -> None:
    plugin = Path("picky.py")
    text = TINY.read_text(encoding="utf-8").replace("super().__init__(spec)", "raise ValueError('not for 32 px')")
    plugin.write_text(text, encoding="utf-8")
    run = replace(copy_of_data(finished, "picky"), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match=r"picky .*: not for 32 px"):
        do(run, "train", "picky")
    assert Cell(run.folder / "models/picky/seed0").record["status"] == "failed"


@pytest.mark.parametrize(("folder", "words"), [("void", "holds no image"), ("absent", "is no folder")])
def test_samples_need_pictures(finished: Run, folder: str, words: str) -> None:
    Path("void").mkdir(exist_ok=True)
    with pytest.raises(BenchmarkError, match=words):
        sample_images(finished, "tiny", 0, Path(folder), Path("turned"))
