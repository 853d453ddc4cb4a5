"""Archives of measurements: another clone resumes from them, and trains nothing of what is done."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.errors import BenchmarkError
from benchmark.execution import tasks
from benchmark.run.artifacts import Artifact
from benchmark.run.workspace import Run
from benchmark.stages import archive
from benchmark.stages.collect import collect
from benchmark.stages.pipeline import run_everything
from tests.stages.helpers import changed, copy_of_data
from tests.stages.small import small_run

REFERENCE = Path("reference")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A finished run, whose rows are stored, and archives of it in `reference`; its folder is the working directory."""
    with small_run(tmp_path_factory.mktemp("archive")) as run:
        run_everything(run)
        collect(run)
        shutil.copytree(run.results, REFERENCE)
        for name in ("identity", "fewshot"):
            (REFERENCE / "rows" / f"{name}.parquet").unlink()
        archive.store(run, REFERENCE)
        yield run


@pytest.fixture
def reference(finished: Run, tmp_path: Path) -> Path:
    return shutil.copytree(REFERENCE, tmp_path / "reference")


@pytest.fixture
def clone(finished: Run, tmp_path: Path) -> Run:
    """The same run where nothing but the data is there."""
    return replace(copy_of_data(finished, tmp_path.name), results=tmp_path / "results")


def weights(run: Run) -> list[Path]:
    return sorted(run.folder.rglob("*.safetensors"))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_an_archive_has_rows_and_records_and_no_weights(finished: Run) -> None:
    names = {path.name for path in (REFERENCE / archive.FOLDER).iterdir()}
    assert {"tiny-seed0.json", "tiny-seed0.identity.parquet", "tiny-seed0.fewshot.parquet"} <= names
    assert {"judge-identity-seed0.json", "real-seed0.identity.parquet"} <= names
    assert weights(finished)
    assert {name.rpartition(".")[2] for name in names} == {"json", "parquet"}


def test_an_archive_is_written_once(finished: Run, reference: Path) -> None:
    before = content(reference / archive.FOLDER)
    assert archive.store(finished, reference) == []
    assert content(reference / archive.FOLDER) == before


def test_a_clone_trains_nothing_and_has_the_same_rows(finished: Run, clone: Run, reference: Path) -> None:
    run_everything(clone, resume_from=reference)
    collect(clone)
    assert not weights(clone)
    assert content(clone.results / "rows") == content(finished.results / "rows")


def test_a_clone_writes_no_archive_again_though_its_files_have_other_bytes(clone: Run, reference: Path) -> None:
    for part in (reference / archive.FOLDER).glob("*.parquet"):
        pd.read_parquet(part).sample(frac=1, random_state=0).to_parquet(part)
    before = content(reference / archive.FOLDER)
    archive.restore(clone, reference)
    assert archive.store(clone, reference) == []
    assert content(reference / archive.FOLDER) == before


def test_a_clone_measures_what_is_not_archived(finished: Run, clone: Run, reference: Path) -> None:
    for path in (reference / archive.FOLDER).glob("tiny-seed0.*"):
        path.unlink()
    run_everything(clone, resume_from=reference)
    collect(clone)
    assert Artifact("generator", "tiny").cell(clone).folder / "generator.safetensors" in weights(clone)
    assert content(clone.results / "rows").keys() == content(finished.results / "rows").keys()


def test_what_other_settings_measured_is_made_again(clone: Run, reference: Path) -> None:
    other = changed(clone, training__images=16)
    run_everything(other, resume_from=reference)
    assert Artifact("generator", "tiny").cell(clone).folder / "generator.safetensors" in weights(other)
    assert not Artifact("outcomes", "copy", 0, "random", 2).cell(other).record.get("absent")  # restored, with its rows


def test_rows_that_the_results_have_are_stored_once(finished: Run, clone: Run, reference: Path) -> None:
    shutil.copytree(finished.results / "rows", reference / "rows", dirs_exist_ok=True)
    archive.store(finished, reference)
    assert not [*(reference / archive.FOLDER).glob("*.parquet")]
    archive.restore(clone, reference)
    assert all(tasks.done(clone, task) for task in tasks.everything(clone))


def test_rows_that_are_not_those_of_the_record_are_left(clone: Run, reference: Path) -> None:
    folder = reference / archive.FOLDER
    shutil.copyfile(folder / "copy-seed0.identity.parquet", folder / "tiny-seed0.identity.parquet")
    archive.restore(clone, reference)
    assert tasks.done(clone, tasks.Task("identity", "copy"))
    assert not tasks.done(clone, tasks.Task("identity", "tiny"))
    assert tasks.done(clone, tasks.Task("train", "tiny"))


def test_what_the_run_has_stays(finished: Run, clone: Run, reference: Path) -> None:
    own = Artifact("generator", "tiny").cell(clone)
    shutil.copytree(Artifact("generator", "tiny").cell(finished).folder, own.folder)
    archive.restore(clone, reference)
    assert weights(clone) == [own.folder / "generator.safetensors"]


@pytest.mark.parametrize("place", ["models/../seed0", "../models/tiny/seed0", "elsewhere"])
def test_an_archive_writes_nowhere_else(clone: Run, reference: Path, place: str) -> None:
    path = reference / archive.FOLDER / "tiny-seed0.json"
    path.write_text(json.dumps({place: {"record": {"files": {}}, "texts": {"log.csv": ""}}}), encoding="utf-8")
    with pytest.raises(BenchmarkError, match=r"tiny-seed0\.json"):
        archive.restore(clone, reference)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"models/tiny/seed0": {}}', '{"models/tiny/seed0": 3}'])
def test_a_damaged_archive_is_named(clone: Run, reference: Path, text: str) -> None:
    (reference / archive.FOLDER / "tiny-seed0.json").write_text(text, encoding="utf-8")
    with pytest.raises(BenchmarkError, match=r"tiny-seed0\.json"):
        archive.restore(clone, reference)


def test_a_stored_generator_is_restored_where_it_is_the_one(finished: Run, clone: Run, reference: Path) -> None:
    own, stored = Artifact("generator", "tiny").cell(clone), reference / "generators/tiny/seed0/generator.safetensors"
    stored.parent.mkdir(parents=True)
    shutil.copyfile(Artifact("generator", "tiny").cell(finished).folder / stored.name, stored)
    archive.restore(clone, reference)
    assert weights(clone) == [own.folder / stored.name]
    assert not own.altered()


def test_results_without_archives_are_named(clone: Run, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=str(tmp_path)):
        archive.restore(clone, tmp_path)
