"""A report of own images is about them: its name, its own tables, nothing of the paper, and what was learned."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.config.settings import override, with_dataset
from benchmark.reporting.learned import learned
from benchmark.reporting.render import render
from benchmark.results.records import Facts, Validated
from benchmark.results.rows import Rows
from tests.reporting.made import made_rows, profile

GOOD = Validated(nc=10, identities=23, rate=0.3, low=0.2, top1=0.31, view=0.9, mean_image=0.1, real=0.7)
KEPT = {"validation": {"identities": 23, "images": 200}, "standard": {"identities": 20, "images": 200}}


def own_rows(models: tuple[str, ...] = ("ours",), **validated: Validated) -> Rows:
    """Return rows of own images in the folder `somewhere/birds`, of a run of the name `first`."""
    settings = override(with_dataset(profile("quick"), "table"), {"data.root": "somewhere/birds"})
    made = made_rows({"real": [0.9], "mean_image": [0.1], **{name: [0.5] for name in models}}, settings=settings)
    facts = made.facts.model_copy(update={"name": "first", "counts": KEPT, "validated": validated})
    return replace(made, facts=facts)


def facts(validation: float = 0.1, identities: int = 23, **validated: Validated) -> Facts:
    """Return facts of own images."""
    found = own_rows(**validated).facts
    counts = {**KEPT, "validation": {"identities": identities, "images": 9}}
    data = found.settings.data.model_copy(update={"validation": validation})
    return found.model_copy(update={"counts": counts, "settings": found.settings.model_copy(update={"data": data})})


def test_nothing_of_the_paper_stands_beside_own_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.reporting.render.draw_all", lambda *_: [])
    render(made_rows({"real": [0.9], "ours": [0.5]}), tmp_path)
    assert (tmp_path / "paper/table_2.csv").exists()
    render(own_rows(ours=GOOD), tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert not [
        name for name in left if name.startswith(("claims", "paper/")) or name in ("ablation.md", "ablation.tex")
    ]
    assert {"identity.md", "fewshot.csv", "figures/accuracy_over_nc.csv", "report.html"} <= left
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Viewpoint benchmark <small>run first on birds</small></h1>" in page
    assert "Published" not in page
    assert "The paper" not in page
    assert (
        (tmp_path / "identity.md").read_text(encoding="utf-8").startswith("# Identity preservation, run first on birds")
    )
    render(made_rows({"real": [0.9], "ours": [0.5]}), tmp_path)
    assert (tmp_path / "claims.csv").exists()
    assert not (tmp_path / "figures/accuracy_over_nc.csv").exists()


def test_versions_of_the_ablation_are_compared_where_there_are_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.reporting.render.draw_all", lambda *_: [])
    render(own_rows(("ours", "vanilla"), ours=GOOD, vanilla=GOOD), tmp_path)
    assert (tmp_path / "ablation.md").exists()


def test_a_model_clear_of_chance_has_learned() -> None:
    warnings, (said,) = learned(facts(ours=GOOD), ["ours"])
    assert warnings == []
    assert said.startswith("Learned: with 10 of 23 validation identities")
    assert "30.0 % (at least 20.0 %)" in said
    assert "chance has 10.0 %" in said


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"low": 0.05, "rate": 0.1}, "Nothing learned: "),
        ({"mean_image": 0.35}, "Nothing learned: "),  # classes of uneven sizes
        ({"low": 0.1}, "Not clear: "),
        ({"mean_image": 0.25}, "Not clear: "),
        ({"low": 0.08, "real": 0.1}, "Not known: "),
        ({"low": 0.11}, ""),
    ],
)
def test_a_model_that_is_not_clear_of_chance_is_warned_of(changes: dict[str, float], warned: str) -> None:
    warnings, said = learned(facts(ours=GOOD.model_copy(update=changes)), ["ours"])
    assert [*warnings, *said][0].startswith(warned or "Learned: ")
    assert bool(warnings) == bool(warned)
    assert warned != "Nothing learned: " or "--set training.images=48000" in warnings[0]


@pytest.mark.parametrize(("views", "fewer"), [(("front", "side"), False), (("front", "side", "back"), True)])
def test_two_views_cannot_become_fewer(views: tuple[str, ...], fewer: bool) -> None:
    found = facts(ours=GOOD.model_copy(update={"low": 0.05, "rate": 0.1}))
    data = found.settings.data.model_copy(update={"views": views})
    found = found.model_copy(update={"settings": found.settings.model_copy(update={"data": data})})
    assert ("fewer views" in learned(found, ["ours"])[0][0]) is fewer


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (facts(validation=0.0, identities=0), "data.validation is 0, so every training identity was trained on"),
        (facts(identities=1), "1 validation identity is too few to tell apart"),
        (facts(), "`ours`: they are not measured on the validation identities"),
    ],
)
def test_without_validation_identities_it_cannot_be_known(found: Facts, why: str) -> None:
    (warning,), said = learned(found, ["ours"])
    assert said == []
    assert warning.startswith("Not known whether the models have learned anything: ")
    assert why in warning


def test_the_warning_stands_above_tables_and_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.reporting.render.draw_all", lambda *_: [])
    warnings = render(own_rows(ours=GOOD.model_copy(update={"low": 0.05, "rate": 0.1})), tmp_path)
    assert warnings[0].startswith("Nothing learned: ")
    for name in ("identity.md", "identity_diagnostics.md", "report.html"):
        assert "Nothing learned: with 10 of 23" in (tmp_path / name).read_text(encoding="utf-8")


def test_of_the_data_sets_of_the_suite_nothing_is_said() -> None:
    assert learned(made_rows({"ours": [0.5]}).facts, ["ours"]) == ([], [])
