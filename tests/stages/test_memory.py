"""Too little memory is one sentence that names the setting to lower, whatever is being made."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.errors import BenchmarkError, MemoryShortError, enough_memory
from benchmark.exits import clean_exit
from benchmark.run.artifacts import TABLE, Artifact
from benchmark.run.cache import ensure
from benchmark.run.workspace import Run
from benchmark.stages.data import prepare_data
from tests.stages.small import small_run

HUGE = 2**48  # bytes, which no machine has
BY_TORCH = {  # what is made with torch, and so in batches
    *("identity_judge", "view_judge", "warm_start", "generator", "outputs", "recognition"),
}


def full_gpu(*arguments: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


FAILURES = {
    "torch": lambda *_: torch.empty(HUGE, dtype=torch.uint8),
    "numpy": lambda *_: np.ones(HUGE, np.uint8),
    "python": lambda *_: bytearray(HUGE),
    "gpu": full_gpu,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with small_run(tmp_path_factory.mktemp("memory")) as run:
        prepare_data(run)
        yield run


def test_all_that_is_made_in_batches_names_a_setting(prepared: Run) -> None:
    named = {kind: row.memory for kind, row in TABLE.items() if row.memory}
    assert named.keys() == BY_TORCH
    values = prepared.settings.values_of(named.values())
    assert all(key.endswith("batch_size") and values[key] > 0 for key in named.values())


@pytest.mark.parametrize("library", FAILURES)
@pytest.mark.parametrize("kind", ["identity_judge", "generator"])
def test_the_setting_is_named(kind: str, library: str, prepared: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    row = TABLE[kind]
    monkeypatch.setattr(importlib.import_module(row.module), "make", FAILURES[library])
    artifact = Artifact(kind, "tiny" if kind == "generator" else "")
    with pytest.raises(MemoryShortError) as error:
        ensure(prepared, artifact)
    said = f"{artifact.place}: there is too little memory; lower {row.memory}, now 16, or free some, "
    assert str(error.value).startswith(said)
    record = artifact.cell(prepared).record
    assert record["status"] == "failed"
    assert record["reason"] == str(error.value)


@pytest.mark.parametrize("library", FAILURES)
def test_elsewhere_it_is_a_sentence_too(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        FAILURES[library]()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is too little memory; ")


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), KeyError("out of memory"), BenchmarkError("no")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as found, enough_memory("this", "lower that"):
        raise error
    assert found.value is error


def test_a_file_that_does_not_fit_the_memory_is_not_called_damaged(tmp_path: Path) -> None:
    from benchmark.files import reading

    with pytest.raises(MemoryError), reading(tmp_path / "rows.parquet"):
        np.ones(HUGE, np.uint8)
