"""The few-shot stage on a small run."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.files import sha256
from benchmark.stages import everything
from benchmark.stages.everything import run_everything
from benchmark.stages.fewshot import EPISODES, OUTCOMES, FewShotMeasurement, measure_fewshot
from benchmark.workspace import Run
from tests.stages.helpers import changed, copy_of_data, reported

CONTROLS = ["no_augmentation", "copy"]  # the oracle is wanted too, but these are no rendered cars


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    """A copy of the finished run that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "run")
    return replace(finished, folder=tmp_path / "run", results=tmp_path / "results")


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
    measurement = FewShotMeasurement(finished)
    path = measurement.episodes_cell().folder / EPISODES
    stored = pd.read_parquet(path)
    settings, dataset = finished.settings.fewshot, finished.settings.data.dataset
    drawn = episodes.draw_all(measurement.store.manifest, dataset, settings.ways, settings.shots, settings.episodes)
    pd.testing.assert_frame_equal(stored, drawn, check_dtype=False)
    for name in (*CONTROLS, "tiny"):
        assert measurement.cell(name, 0).record["fingerprint"]["episodes_hash"] == sha256(path)
        tested = pd.read_parquet(measurement.cell(name, 0).folder / OUTCOMES)
        most = tested[tested["shots"] == max(settings.shots)]
        expected = stored.loc[stored["order"] >= max(settings.shots), "image"]
        assert sorted(most["image"]) == sorted(expected)


def test_what_is_done_is_skipped(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    measure_fewshot(finished)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 * (len(CONTROLS) + 1)
    assert all(line.endswith("few-shot: skip (done, nothing changed)") for line in said)


def test_settings_that_choose_rows_change_none(finished: Run) -> None:
    other = changed(finished, fewshot__skip=["vanilla"], fewshot__controls=["copy"])
    assert FewShotMeasurement(other).is_current("tiny", 1)
    assert not FewShotMeasurement(changed(finished, fewshot__steps=2)).is_current("tiny", 1)
    assert not FewShotMeasurement(changed(finished, fewshot__episodes=2)).is_current("copy", 0)


def test_models_can_be_left_out(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert FewShotMeasurement(changed(finished, fewshot__skip=["tiny"])).models() == []
    assert "few-shot: leaves out tiny (fewshot.skip)" in capsys.readouterr().out


def test_an_unknown_model_to_leave_out_is_refused(finished: Run) -> None:
    with pytest.raises(BenchmarkError, match=r"uned.*did you mean.*unet"):
        run_everything(changed(finished, fewshot__skip=["uned"]))


def test_a_classifier_that_diverges_is_no_result(copied: Run) -> None:
    other = changed(copied, fewshot__learning_rate=1e30, fewshot__steps=3)
    with pytest.raises(BenchmarkError, match=r"the loss is not finite; lower fewshot\.learning_rate"):
        measure_fewshot(other)
    assert FewShotMeasurement(other).cell(CONTROLS[0], 0).record["status"] == "diverged"


def test_the_oracle_needs_rendered_cars(finished: Run) -> None:
    assert FewShotMeasurement(finished).controls() == CONTROLS


def test_a_measurement_out_of_date_leaves_the_tables(copied: Run, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(copied, fewshot__steps=2)
    reported(other)
    assert fewshot_csv(other).empty
    assert "not measured" in (other.results / "fewshot.md").read_text()
    assert "copy seed 0, few-shot: left out of the tables, out of date" in capsys.readouterr().out


def test_altered_outcomes_are_not_reported(copied: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (copied.folder / "fewshot" / "copy" / "seed0" / OUTCOMES).write_bytes(b"no parquet")
    reported(copied)
    assert "copy seed 0, few-shot: left out of the tables, out of date" in capsys.readouterr().out
    seeds = fewshot_csv(copied).groupby("model")["n_seeds"].first()
    assert seeds.to_dict() == {"copy": 1, "no_augmentation": 2, "tiny": 2}


def test_few_shot_can_be_left_out(copied: Run, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(copied, fewshot__shots=[])
    measure_fewshot(other)
    reported(other)
    assert "few-shot: left out, fewshot.shots is empty" in capsys.readouterr().out
    assert fewshot_csv(other).empty


def test_too_few_large_classes_are_refused_before_anything_is_trained(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = changed(copy_of_data(finished, "small"), fewshot__shots=[2, 10])
    monkeypatch.setattr(everything, "train_extractors", lambda run: pytest.fail("trained"))
    with pytest.raises(
        BenchmarkError, match=r"5 classes with at least 11 images .*0 of the 5 .*too small: id\d+ \(10\)"
    ):
        run_everything(run)
