"""Own images: whether a model has learned anything is measured on validation identities, and few-shot fits the data."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from benchmark.reporting import render
from benchmark.results import rows
from benchmark.run.workspace import Run
from benchmark.stages import pipeline
from benchmark.stages.collect import collect
from benchmark.stages.report import report
from tests.stages.helpers import changed
from tests.stages.small import small_run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Three identities to train on, two to validate and three to evaluate."""
    with small_run(tmp_path) as small, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "collect", collect)
        patch.setattr(pipeline, "report", report)
        patch.setattr(render, "draw_all", lambda *_: [])
        yield changed(small, data__auxiliary=5, data__validation=0.4)


def test_a_model_is_measured_on_validation_identities_and_warned_of(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.run_everything(changed(run, evaluation__nc=[2, 9], fewshot__ways=9, fewshot__shots=[2, 11]))
    said = capsys.readouterr().out
    assert "\nN_c: 2, as there are 3 standard identities, too few for 9\n" in said
    assert "  tiny: " in said  # the estimate, before anything is trained
    assert said.index("the whole run: about ") < said.index("models/tiny/seed0: make")
    assert "images (training.images)" in said
    facts = rows.read(run.results).facts
    assert facts.validated["tiny"].nc == facts.validated["tiny"].identities == 2
    warning = next(line for line in said.splitlines() if line.startswith("warning: "))
    words = ("Nothing learned", "Not clear", "Not known")  # 32 images teach nothing
    assert warning.removeprefix("warning: ").startswith(words)
    assert warning.removeprefix("warning: ") in (run.results / "identity.md").read_text(encoding="utf-8")
    assert facts.settings.fewshot.ways == 3
    assert pd.read_csv(run.results / "fewshot.csv")["way"].unique().tolist() == [3]
    assert facts.settings.fewshot.shots == (2,)  # one identity has ten images
    pipeline.run_everything(changed(run, evaluation__nc=[2, 9], fewshot__ways=9, fewshot__shots=[2, 11]))
    assert "the whole run" not in capsys.readouterr().out  # nothing is trained any more


def test_shots_that_no_identity_allows_are_left_out(run: Run) -> None:
    pipeline.run_everything(changed(run, fewshot__ways=9, fewshot__shots=[2, 12]))
    assert pd.read_csv(run.results / "fewshot.csv")["shot"].unique().tolist() == [2]
    pipeline.run_everything(changed(run, fewshot__shots=[12]))
    assert "Few-shot recognition is not measured." in (run.results / "fewshot.md").read_text(encoding="utf-8")


def test_without_validation_identities_it_is_not_known(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.run_everything(changed(run, data__validation=0.0))
    assert (
        "warning: Not known whether the models have learned anything: data.validation is 0" in capsys.readouterr().out
    )
    assert not (run.folder / "validation").exists()
