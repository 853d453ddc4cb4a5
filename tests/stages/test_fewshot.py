"""The few-shot stage on a small run."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.config.settings import Data
from benchmark.data.image_store import open_store
from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.execution import tasks
from benchmark.execution.stages import measure_fewshot
from benchmark.making.episodes import EPISODES
from benchmark.making.recognition import OUTCOMES
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import content, is_done
from benchmark.run.workspace import Run
from benchmark.stages import pipeline
from benchmark.stages.pipeline import run_everything
from tests.stages.helpers import changed, copy_of_data, reported

CONTROLS = ["no_augmentation", "copy"]  # the oracle is wanted too, but these are no rendered cars


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    """A copy of the finished run that a test may change."""
    folder = tmp_path / "runs" / finished.name
    shutil.copytree(finished.folder, folder)
    return replace(finished, folder=folder, results=tmp_path / "results")


def fewshot_csv(run: Run) -> pd.DataFrame:
    return pd.read_csv(run.results / "fewshot.csv", dtype={"connection_size": str})


def test_every_row_is_measured(finished: Run) -> None:
    table = fewshot_csv(finished)
    shots = list(finished.settings.fewshot.shots)
    assert list(zip(table["model"], table["shot"], strict=True)) == [(m, s) for m in ["tiny", *CONTROLS] for s in shots]
    assert table["accuracy"].between(0, 1).all()
    assert (table["n_seeds"] == 2).all()  # of a control: seeds of the classifier
    assert (table["way"] == 5).all()
    for shot, rows in table.groupby("shot"):
        assert (rows["n_images"] == 5 * (10 - int(str(shot)))).all()  # ten images of each identity


def test_rows_come_from_the_outcomes(finished: Run) -> None:
    folder = finished.folder / "fewshot" / "copy"
    stored = pd.concat([pd.read_parquet(folder / f"seed{seed}" / OUTCOMES) for seed in range(2)])
    table = fewshot_csv(finished).set_index(["model", "shot"])["accuracy"]
    for shot, right in stored.groupby("shots")["right"].mean().items():
        assert table[("copy", shot)] == pytest.approx(right, abs=1e-6)


def test_episodes_are_stored_hashed_and_shared(finished: Run) -> None:
    drawn_once = Artifact("episodes")
    stored = pd.read_parquet(drawn_once.cell(finished).folder / EPISODES)
    settings, dataset = finished.settings.fewshot, finished.settings.data.dataset
    drawn = episodes.draw_all(open_store(finished).manifest, dataset, settings.ways, settings.shots, settings.episodes)
    pd.testing.assert_frame_equal(stored, drawn, check_dtype=False)
    for name in (*CONTROLS, "tiny"):
        cell = Artifact("recognition", name).cell(finished)
        assert cell.record["fingerprint"]["inputs"]["fewshot/episodes"] == content(finished, drawn_once)
        tested = pd.read_parquet(cell.folder / OUTCOMES)
        most = tested[tested["shots"] == max(settings.shots)]
        expected = stored.loc[stored["order"] >= max(settings.shots), "image"]
        assert sorted(most["image"]) == sorted(expected)


def test_what_is_done_is_skipped(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    measure_fewshot(finished)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 * (len(CONTROLS) + 1)
    assert all(line.startswith("fewshot ") and line.endswith(": done, nothing changed") for line in said)


def test_settings_that_choose_rows_change_none(finished: Run) -> None:
    other = changed(finished, fewshot__skip=["vanilla"], fewshot__controls=["copy"])
    assert is_done(other, Artifact("recognition", "tiny", 1))
    assert not is_done(changed(finished, fewshot__steps=2), Artifact("recognition", "tiny", 1))
    assert not is_done(changed(finished, fewshot__episodes=2), Artifact("recognition", "copy"))


def test_models_can_be_left_out(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    without = changed(finished, fewshot__skip=["tiny"])
    assert {task.name for task in tasks.recognising(without)} == set(CONTROLS)
    measure_fewshot(without)
    assert "few-shot: leaves out tiny (fewshot.skip)" in capsys.readouterr().out


def test_an_unknown_model_to_leave_out_is_refused(finished: Run) -> None:
    with pytest.raises(BenchmarkError, match=r"uned.*did you mean.*unet"):
        run_everything(changed(finished, fewshot__skip=["uned"]))


def test_a_classifier_that_diverges_is_no_result(copied: Run) -> None:
    other = changed(copied, fewshot__learning_rate=1e30, fewshot__steps=3)
    with pytest.raises(BenchmarkError, match=r"fewshot\.learning_rate"):
        measure_fewshot(other)
    assert Artifact("recognition", CONTROLS[0]).cell(other).record["status"] == "diverged"


def test_the_oracle_needs_rendered_cars(finished: Run) -> None:
    assert [task.name for task in tasks.recognising(changed(finished, seeds=1))] == [*CONTROLS, "tiny"]


def test_a_measurement_out_of_date_leaves_the_tables(copied: Run, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(copied, fewshot__steps=2)
    reported(other)
    assert fewshot_csv(other).empty
    assert "not measured" in (other.results / "fewshot.md").read_text()
    assert "fewshot/copy/seed0: left out" in capsys.readouterr().out


def test_altered_outcomes_are_not_reported(copied: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (copied.folder / "fewshot" / "copy" / "seed0" / OUTCOMES).write_bytes(b"no parquet")
    reported(copied)
    assert "fewshot/copy/seed0: left out" in capsys.readouterr().out
    seeds = fewshot_csv(copied).groupby("model")["n_seeds"].first()
    assert seeds.to_dict() == {"copy": 1, "no_augmentation": 2, "tiny": 2}


def test_few_shot_can_be_left_out(copied: Run, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(copied, fewshot__shots=[])
    measure_fewshot(other)
    reported(other)
    assert "fewshot.shots is empty" in capsys.readouterr().out
    assert fewshot_csv(other).empty


def test_too_few_large_classes_are_refused_before_anything_is_trained(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = changed(copy_of_data(finished, "small"), fewshot__shots=[2, 10])
    monkeypatch.setattr(Data, "own", property(lambda _: False))  # for own images it is lowered to what they allow
    monkeypatch.setattr(pipeline, "carry_out_all", lambda *arguments: pytest.fail("trained"))
    with pytest.raises(BenchmarkError, match=r"5 classes .*11 images .*0 of the 5 .*id\d+ \(10\)"):
        run_everything(run)
