"""`benchmark validate`: the protocol of the identity measurement on other identities, blind to the standard set."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.cli import cli
from benchmark.data import held_out, manifest
from benchmark.data.image_store import open_store
from benchmark.errors import BenchmarkError
from benchmark.execution.stages import measure_identity, train_judges, train_model
from benchmark.reporting.tables import identity_table
from benchmark.run import runs
from benchmark.run.artifacts import Artifact
from benchmark.run.workspace import Run
from benchmark.stages import validation
from benchmark.stages.collect import measured
from benchmark.stages.validation import validate
from tests.stages.helpers import changed, copy_of_data
from tests.stages.small import small_run

STANDARD = ("id5", "id6", "id7")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Three identities to train on, two to validate and three to evaluate."""
    with small_run(tmp_path_factory.mktemp("validation")) as small:
        yield changed(small, data__auxiliary=5, data__validation=0.5, seeds=2, evaluation__draws=3)


@pytest.fixture(scope="module")
def table(run: Run) -> pd.DataFrame:
    return validate(run)


def test_controls_and_models_have_a_row(run: Run, table: pd.DataFrame) -> None:
    assert table["model"].tolist() == ["tiny", "real", "copy", "mean_image"]
    assert set(table["profile"]) == {"finished, 2 validation identities"}
    assert set(table["nc"]) == {2}
    assert table["n_seeds"].tolist() == [2, 1, 1, 1]
    assert table["images_seen"].dropna().tolist() == [32]
    assert not Path("results").exists()
    assert sorted(path.name for path in run.folder.iterdir() if path.is_dir()) == [
        "data",
        "extractors",
        "locks",
        "models",
        "validation",
    ]


def test_the_run_keeps_its_settings(run: Run, table: pd.DataFrame) -> None:
    assert runs.read(run.folder / runs.SETTINGS).settings == run.settings


def test_it_is_what_the_identity_measurement_says_of_these_identities(run: Run, table: pd.DataFrame) -> None:
    other = copy_of_data(run, "relabelled")
    manifest.write(held_out.of_validation(open_store(run)).manifest, other.data / "split.parquet")
    train_judges(other)
    train_model(other, "tiny")
    measure_identity(other)
    expected = identity_table(measured(other, []), table["profile"].iloc[0])
    pd.testing.assert_frame_equal(table, expected)


def test_what_the_standard_set_has_too_few_of_does_not_count(run: Run, table: pd.DataFrame) -> None:
    demanding = changed(run, evaluation__nc=[80], fewshot__shots=[50])
    pd.testing.assert_frame_equal(validate(demanding, [2]), table)


def drawn_again(*identities: str) -> None:
    """Put other pictures in the place of those of some identities."""
    random = np.random.default_rng(1)
    for name in pd.read_csv("labels.csv").query("identity in @identities")["image"]:
        Image.fromarray(random.integers(0, 256, (24, 24, 3), np.uint8)).save(f"pictures/{name}")


def test_the_standard_set_does_not_count(run: Run, table: pd.DataFrame) -> None:
    labels, before = Path("labels.csv"), Path("labels.csv").read_text(encoding="utf-8")
    parts = open_store(run).manifest.groupby("split")["identity"].unique()
    assert set(parts["standard"]) == set(STANDARD)
    drawn_again(*STANDARD)
    pd.testing.assert_frame_equal(validate(run), table)
    labels.write_text("".join(line for line in before.splitlines(True) if STANDARD[0] not in line), encoding="utf-8")
    pd.testing.assert_frame_equal(validate(changed(run, data__standard=2)), table)
    labels.write_text(before, encoding="utf-8")
    drawn_again(*parts["validation"])
    assert not validate(run).equals(table)


def test_the_trainings_are_those_of_a_run(run: Run, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    validate(run)
    capsys.readouterr()
    trained = replace(run, settings=run.settings.model_copy(update={"seeds": 3}))
    validate(trained)
    said = capsys.readouterr().out
    assert [f"models/tiny/seed{seed}: make" in said for seed in range(3)] == [False, False, True]
    assert Artifact("generator", "tiny", 2).cell(run).record["status"] == "done"


@pytest.mark.parametrize(
    ("share", "nc", "words"),
    [
        (0.0, [], "2 identities and has 0;"),
        (
            0.1,
            [],
            "2 identities and has 1; .*data.validation=SHARE, now 0.1",
        ),
        (0.5, [2, 3], "N_c = 3 .* 2 validation identities; .* 2 by --nc"),
    ],
)
def test_too_few_identities(run: Run, share: float, nc: list[int], words: str) -> None:
    few = replace(changed(run, data__validation=share), folder=Path("runs/few"))
    with pytest.raises(BenchmarkError, match=words):
        validate(few, nc)
    assert not (few.folder / "extractors").exists()


@pytest.mark.parametrize(
    ("wanted", "available", "sizes"), [([], 13, [13]), ([], 54, [20, 50]), ([30, 10, 10], 30, [10, 30])]
)
def test_numbers_of_classes(run: Run, wanted: list[int], available: int, sizes: list[int]) -> None:
    settings = changed(run, evaluation__nc=[20, 50, 80]).settings
    assert validation._sizes(settings, wanted, available) == sizes


def test_the_command_prints_and_writes(
    project: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Run, tuple[int, ...]]] = []
    monkeypatch.setattr(validation, "validate", lambda run, nc: asked.append((run, nc)) or table)
    line = "validate --model ours vanilla --nc 4 6 --seeds 2 --set data.validation=0.4 --output found.csv"
    cli(line.split(), standalone_mode=False)
    ((run, nc),) = asked
    assert nc == (4, 6)
    assert run.settings.models == ("ours", "vanilla")
    assert run.settings.seeds == 2
    assert run.name.startswith("adhoc-")
    said = capsys.readouterr().out
    assert "# Identity preservation, profile finished, 2 validation identities" in said
    assert "| warm-up steps | joint on other views % | joint % |" in said
    assert said.endswith("table: found.csv\n")
    assert pd.read_csv("found.csv")["model"].tolist() == table["model"].tolist()
