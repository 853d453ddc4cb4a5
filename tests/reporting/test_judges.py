"""Statements about the networks that judge, and warnings above tables."""

import html
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.reporting import judges
from benchmark.reporting.render import render
from benchmark.reporting.tables import identity_table
from benchmark.reporting.tidy import internals_table
from benchmark.results import rows
from benchmark.results.rates import view_weights
from benchmark.results.records import Facts, Judge
from tests.reporting.made import made_identity, made_rows

GOOD = Judge(accuracy=0.95, lowest=0.8, images=400, classes=20, epochs=30, converged=True)


def table(**rates: float) -> pd.DataFrame:
    return identity_table([made_identity(name, [rate], 20) for name, rate in rates.items()], "quick")


def said(found: list[str]) -> set[str]:
    return {sentence.partition(":")[0].partition(" with")[0] for sentence in found}


@pytest.mark.parametrize(
    ("view", "rates", "expected"),
    [
        (0.95, {"real": 0.9, "mean_image": 0.1, "ours": 0.5}, set()),
        (0.85, {"real": 0.9, "mean_image": 0.1}, {"Weak judge"}),
        (0.95, {"real": 0.4, "mean_image": 0.1}, {"Weak judge"}),
        (0.95, {"real": 0.6, "mean_image": 0.7}, {"Do not trust top1", "Do not trust joint"}),
        (0.95, {"real": 0.6, "mean_image": 0.64}, set()),
        (0.95, {"ours": 0.2}, set()),
    ],
)
def test_warnings(view: float, rates: dict[str, float], expected: set[str]) -> None:
    own = {"identity": GOOD, "view": GOOD.model_copy(update={"accuracy": view})}
    assert said(judges.warnings(own, table(**rates))) == expected


@pytest.mark.parametrize(
    ("classes", "help_"),
    [(2, "each view and larger images help it."), (3, "each view, larger images or fewer views help")],
)
def test_what_helps_a_judge_of_so_many_views(classes: int, help_: str) -> None:
    (found,) = judges.warnings({"view": GOOD.model_copy(update={"accuracy": 0.8, "classes": classes})}, table(ours=0.5))
    assert help_ in found


def test_a_view_judge_may_do_worse_on_other_identities() -> None:
    real = made_identity("real", [0.9], 20)
    half = real.outcomes.assign(view_right=real.outcomes["target"] == 0)
    table = identity_table([replace(real, outcomes=half)], "quick")
    (found,) = judges.warnings({"view": GOOD}, table)
    rate = 100 * table["view"].iloc[0]
    assert rate < 90
    assert f"95.0 % of held-out real images and {rate:.1f} % of real images that are evaluated" in found


def test_small_classes_are_warned_of() -> None:
    few = made_identity("real", [0.9], 20)
    few = replace(few, outcomes=few.outcomes[few.outcomes["image"] < "040.png"])
    (found,) = judges.warnings({}, identity_table([few], "quick"))
    assert found.startswith("Small classes: with 20 classes the rates rest on 2.0 test images")


def test_accuracy_stands_in_tables_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_rows({"real": [0.4], "ours": [0.2], "mean_image": [0.1]})
    own = {"identity": GOOD, "view": GOOD.model_copy(update={"accuracy": 0.876, "converged": False})}
    made = replace(made, facts=made.facts.model_copy(update={"judges": own}))
    monkeypatch.setattr("benchmark.reporting.render.draw_all", lambda *_: [])
    warnings = render(made, tmp_path)
    assert said(warnings) == {"Weak judge", "Small classes"}
    assert sum(sentence.startswith("Weak") for sentence in warnings) == 1 + len(made.facts.settings.evaluation.nc)
    for name in ("identity.md", "identity_diagnostics.md", "report.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "87.6 %" in text
        assert "95.0 %" in text
    assert html.escape(warnings[0]) in text.partition("<main>")[0]
    assert Facts.model_validate_json(made.facts.model_dump_json()).judges == own


def test_real_images_of_each_view_count_the_same() -> None:
    """Ten images of view 0 are right and two of view 1 are not: a perfect generator would reach a half."""
    outcomes = pd.DataFrame({"source": [0] * 10 + [1] * 2, "target": [0] * 10 + [1] * 2})
    weights = view_weights(outcomes)
    assert weights is not None
    assert weights.mean() == pytest.approx(1)
    assert (weights * (outcomes["target"] == 0)).sum() / weights.sum() == pytest.approx(0.5)
    assert view_weights(outcomes.assign(target=0)) is None
    real = made_identity("real", [1.0], 20)
    own = real.outcomes.assign(target=(real.outcomes["image"] >= "150.png").astype(int))
    own = own.assign(source=own["target"], rank=own["target"] * 9)
    found = identity_table([replace(real, outcomes=own)], "quick").iloc[0]
    assert found["top1"] == pytest.approx(0.5)


def test_internals_are_means_over_seeds() -> None:
    told = [("ours", 0, "share_latent", 0.2), ("ours", 1, "share_latent", 0.4), ("vanilla", 0, "share_latent", 1.0)]
    told.append(("ours", 0, "attention_entropy", 0.9))
    found = internals_table(pd.DataFrame(told, columns=rows.DIAGNOSTIC_COLUMNS), "quick")
    assert list(found["model"]) == ["ours", "vanilla"]
    assert list(found["n_seeds"]) == [2, 1]
    assert list(found["share_latent"]) == pytest.approx([0.3, 1.0])
    assert found["attention_entropy"].isna().tolist() == [False, True]
    assert list(internals_table(pd.DataFrame(columns=rows.DIAGNOSTIC_COLUMNS), "quick")["model"]) == []
