"""The stored rows: what is written is read again, and what cannot be is refused in one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.errors import BenchmarkError
from benchmark.reporting.fewshot import EARLIER
from benchmark.reporting.render import render
from benchmark.reporting.tables import identity_table
from benchmark.results import rows
from benchmark.results.rates import TRAIN_ACCURACY
from benchmark.results.records import Trained
from benchmark.results.rows import FEWSHOT, IDENTITY, Rows, Samples
from tests.reporting import drawn
from tests.reporting.made import TRAINED, made_rows

NAMES = ["7", "NA", "a, b"]  # a number, a word for a missing value, a comma


def stored(results: Path) -> Rows:
    """Write rows of models with odd names; return them."""
    shown = drawn.samples(NAMES)
    shown = replace(shown, inputs=shown.inputs.assign(identity=["007", "null", 'a "b"']))
    models = drawn.sizes(NAMES)
    models["macs"] = models["macs"].astype("Int64").where(models["model"] != "NA")
    tables = {"models": models, "costs": drawn.costs(NAMES, None), "learning": drawn.learning(NAMES)}
    planted = made_rows({name: [0.5, 0.25] for name in NAMES}, {"7": [0.5]})
    settings = planted.facts.settings
    data = settings.data.model_copy(update={"image_size": drawn.SIDE})
    facts = planted.facts.model_copy(update={"settings": settings.model_copy(update={"data": data})})
    quality = pd.DataFrame([("NA", 1, 0.75, 0.0125, 0.001)], columns=rows.QUALITY_COLUMNS)
    found = replace(planted, facts=facts, samples=shown, quality=quality, **tables)
    rows.write(found, results)
    return found


def test_rows_come_back_whatever_the_names(tmp_path: Path) -> None:
    before, after = stored(tmp_path), rows.read(tmp_path)
    assert after.facts == before.facts
    assert [(each.model, each.nc) for each in after.identity] == [(m, nc) for m in NAMES for nc in (20, 50, 80)]
    for one, other in zip(before.identity, after.identity, strict=True):
        pd.testing.assert_frame_equal(one.totals.sums, other.totals.sums)
    assert [each.model for each in after.fewshot] == ["7"]
    assert after.models["model"].tolist() == NAMES
    assert after.models["macs"].dtype == "Int64"
    assert after.models["macs"].fillna(0).tolist() == [700000, 0, 2100000]
    assert after.costs["model"].unique().tolist() == NAMES
    assert after.costs[["seconds", "peak_memory"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(after.learning, before.learning, check_dtype=False)
    pd.testing.assert_frame_equal(after.quality, before.quality)
    assert after.samples.inputs["identity"].tolist() == ["007", "null", 'a "b"']
    assert list(after.samples.grids) == NAMES
    assert all((after.samples.grids[name] == before.samples.grids[name]).all() for name in NAMES)


def test_sizes_are_read_by_the_earlier_name_of_their_column(tmp_path: Path) -> None:
    before, path = stored(tmp_path), tmp_path / "rows/models.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("discriminator_parameters", "critic_parameters", 1), encoding="utf-8")
    pd.testing.assert_frame_equal(rows.read(tmp_path).models, before.models, check_dtype=False)


def test_rows_stored_before_there_was_a_warm_up_had_none(tmp_path: Path) -> None:
    before = stored(tmp_path)
    warm = {"7": replace(TRAINED, warm_up_steps=300), "NA": TRAINED, "copy": Trained()}
    rows.write(replace(before, facts=before.facts.model_copy(update={"trained": warm})), tmp_path)
    assert rows.read(tmp_path).facts.trained == warm
    facts = json.loads((tmp_path / "rows/facts.json").read_text(encoding="utf-8"))
    for terms in facts["trained"].values():
        del terms["warm_up_steps"]
    (tmp_path / "rows/facts.json").write_text(json.dumps(facts), encoding="utf-8")
    table = identity_table(rows.read(tmp_path).identity, "smoke").groupby("model")["warm_up_steps"].first()
    assert table[["7", "NA"]].tolist() == [0, 0]
    assert pd.isna(table["a, b"])  # of which nothing is known


def test_few_shot_rows_stored_without_a_train_accuracy_can_be_reported(tmp_path: Path) -> None:
    rows.write(replace(stored(tmp_path), samples=Samples()), tmp_path)
    path = tmp_path / "rows" / FEWSHOT
    pd.read_parquet(path).drop(columns=TRAIN_ACCURACY).to_parquet(path)
    after = rows.read(tmp_path)
    (only,) = after.fewshot
    assert only.outcomes[TRAIN_ACCURACY].isna().all()
    render(after, tmp_path)
    assert pd.read_csv(tmp_path / "fewshot.csv")[TRAIN_ACCURACY].isna().all()
    for name in ("fewshot", "fewshot_differences", "claims", "paper/table_1"):
        assert EARLIER in (tmp_path / f"{name}.md").read_text(encoding="utf-8")


def test_rows_stored_without_sharpness_and_kid_can_be_reported(tmp_path: Path) -> None:
    rows.write(replace(stored(tmp_path), samples=Samples()), tmp_path)
    (tmp_path / "rows" / "quality.csv").unlink()
    after = rows.read(tmp_path)
    assert after.quality.empty
    render(after, tmp_path)
    assert pd.read_csv(tmp_path / "identity_diagnostics.csv")[["sharpness", "kid"]].isna().all(axis=None)
    assert "KID" not in (tmp_path / "identity_diagnostics.md").read_text(encoding="utf-8")


def test_samples_of_models_that_are_gone_are_removed(tmp_path: Path) -> None:
    before = stored(tmp_path)
    rows.write(replace(before, samples=drawn.samples(["7"]), fewshot=[]), tmp_path)
    after = rows.read(tmp_path)
    assert list(after.samples.grids) == ["7"]
    assert after.fewshot == []


@pytest.mark.parametrize("name", [IDENTITY, FEWSHOT])
def test_outcomes_of_another_version_are_refused(name: str, tmp_path: Path) -> None:
    stored(tmp_path)
    path = tmp_path / "rows" / name
    pd.read_parquet(path).drop(columns="identity").to_parquet(path)
    with pytest.raises(BenchmarkError, match=name):
        rows.read(tmp_path)


def test_without_identity_there_is_nothing_to_report(tmp_path: Path) -> None:
    stored(tmp_path)
    (tmp_path / "rows" / IDENTITY).unlink()
    with pytest.raises(BenchmarkError, match=r"identity\.parquet"):
        rows.read(tmp_path)


def test_a_new_number_of_quality_is_missing_in_rows_stored_earlier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path)
    monkeypatch.setattr(rows, "QUALITY_COLUMNS", [*rows.QUALITY_COLUMNS, "colour"])
    with pytest.raises(BenchmarkError, match=r"quality\.csv is missing or damaged"):
        rows.read(tmp_path)
    monkeypatch.setitem(rows.LATER, "colour", "double")
    assert rows.read(tmp_path).quality["colour"].isna().all()


@pytest.mark.parametrize(
    "change", [{"rank": "x"}, {"rank": None}, {"model": 7}, {"seed": None}, {"copied_pixels": "x"}]
)
def test_rows_of_other_kinds_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    found = stored(tmp_path)
    first = found.identity[0]
    outcomes = first.outcomes.assign(**{key: value for key, value in change.items() if key != "model"})
    model = change.get("model", first.model)
    rows.write(replace(found, identity=[replace(first, outcomes=outcomes, model=model)]), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(BenchmarkError, match=r"identity\.parquet"):
        rows.read(tmp_path)


def test_rows_of_a_split_without_facts_are_refused(tmp_path: Path) -> None:
    found = stored(tmp_path)
    rows.write(replace(found, identity=[replace(found.identity[0], split="other")]), tmp_path)
    with pytest.raises(BenchmarkError, match=r"split 'other', .*facts\.json"):
        rows.read(tmp_path)
