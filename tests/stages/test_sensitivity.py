"""The sensitivity table of a small finished run, and of planted rates."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cli import cli
from benchmark.errors import BenchmarkError
from benchmark.files import write_text
from benchmark.making import generating, outputs
from benchmark.run.workspace import Run
from benchmark.stages import sensitivity as stage
from benchmark.stages.sensitivity import METRICS, NEIGHBOURS, sensitivity
from tests.stages.helpers import changed, identity_csv

KEYS = ["model", "split", "nc"]


@pytest.fixture(scope="module")
def table(finished: Run) -> pd.DataFrame:
    sensitivity(finished)
    return pd.read_csv(finished.results / "sensitivity.csv")


def test_every_setting_has_a_row(table: pd.DataFrame) -> None:
    assert list(table.columns) == [
        *("profile", "model", "split", "nc", "neighbours", "metric", "top1", "top5", "n_seeds", "n_draws")
    ]
    models = ["tiny", "real", "copy", "mean_image"]
    expected = [
        ("test", model, split, nc, k, metric)
        for model in models
        for split in ("grouped", "random")
        for nc in (2, 3)
        for k in NEIGHBOURS
        for metric in sorted(METRICS)
    ]
    assert list(table.iloc[:, :6].itertuples(index=False, name=None)) == expected
    assert table.groupby("model")["n_seeds"].first().to_dict() == {"tiny": 2, "real": 1, "copy": 1, "mean_image": 1}
    assert set(table["n_draws"]) == {2}
    assert table["top5"].isna().all()  # fewer than eleven classes


def test_the_profiles_own_setting_is_the_row_of_the_identity_table(finished: Run, table: pd.DataFrame) -> None:
    own = table[(table["neighbours"] == 5) & (table["metric"] == "euclidean")].set_index(KEYS)
    expected = identity_csv(finished).set_index(KEYS)
    pd.testing.assert_series_equal(own["top1"], expected["top1"].loc[own.index])
    assert len(own) == len(expected)


def test_by_default_the_numbers_of_classes_are_those_measured(finished: Run, table: pd.DataFrame) -> None:
    run = replace(changed(finished, evaluation__nc=[4, 5]), results=Path("unmeasured"))
    sensitivity(run)
    pd.testing.assert_frame_equal(pd.read_csv("unmeasured/sensitivity.csv"), table)


def test_another_setting_of_the_profile_is_a_column_too(finished: Run) -> None:
    run = replace(changed(finished, evaluation__neighbours=3, evaluation__nc=[9]), results=Path("three"))
    sensitivity(run, nc=[3])
    found = pd.read_csv("three/sensitivity.csv")
    assert sorted(found["neighbours"].unique()) == [1, 3, 5, 10, 20]
    assert set(found["nc"]) == {3}
    assert "K = 3, euclidean." in Path("three/sensitivity.md").read_text(encoding="utf-8")


def test_every_measured_model_is_in_the_table_whatever_the_profile_trains(finished: Run, table: pd.DataFrame) -> None:
    run = replace(changed(finished, models=["ours"]), results=Path("measured"))
    sensitivity(run, nc=[3])
    found = pd.read_csv("measured/sensitivity.csv")
    expected = table[table["nc"] == 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


def test_named_models_stand_beside_the_controls_alone(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run = replace(changed(finished, evaluation__nc=[2]), results=Path("named"))
    sensitivity(run, ["ours"])
    assert set(pd.read_csv("named/sensitivity.csv")["model"]) == {"copy", "mean_image", "real"}
    assert "ours: left out" in capsys.readouterr().out
    sensitivity(run, ["tiny"])
    assert set(pd.read_csv("named/sensitivity.csv")["model"]) == {"copy", "mean_image", "real", "tiny"}


@pytest.mark.parametrize(("line", "models"), [("", ()), ("--model unet ours", ("unet", "ours"))])
def test_the_command_asks_for_models_only_where_they_are_named(
    line: str, models: tuple[str, ...], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def stub(run: Run, models: tuple[str, ...], *_: object) -> None:
        asked.append(models)
        write_text(run.results / "sensitivity.md", "")

    monkeypatch.setattr(stage, "sensitivity", stub)
    cli(["sensitivity", *line.split()], standalone_mode=False)
    assert asked == [models]


def test_nothing_is_trained_or_generated(
    finished: Run, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(outputs, "measure")
    monkeypatch.delattr(generating, "generate_function")
    before = sorted(path for path in finished.folder.rglob("*"))
    run = replace(changed(finished, training__images=72), results=Path("stale"))
    sensitivity(run)
    assert "tiny: left out" in capsys.readouterr().out
    assert set(pd.read_csv("stale/sensitivity.csv")["model"]) == {"copy", "mean_image", "real"}
    assert sorted(path for path in finished.folder.rglob("*")) == before


def test_nothing_measured_is_one_sentence(finished: Run, tmp_path: Path) -> None:
    empty = replace(finished, folder=tmp_path / "run", results=tmp_path / "results")
    shutil.copytree(finished.folder, empty.folder)
    shutil.rmtree(empty.folder / "identity" / "real" / "seed0" / "outputs")
    words = r"nothing is measured in .*run, or all of it is out of date; run `benchmark run` or `dvc repro`"
    with pytest.raises(BenchmarkError, match=words):
        sensitivity(empty)
    assert not empty.results.exists()
