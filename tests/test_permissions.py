"""Who may read a file is decided by the umask; a file that may not be read is called that, and nothing else."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from benchmark.cli import cli
from benchmark.config.choosing import open_run
from benchmark.errors import AccessError, BenchmarkError
from benchmark.files import reading, replacing, write_json, write_text
from benchmark.run import cache, runs
from benchmark.run.artifacts import Artifact, made
from benchmark.run.cells import RECORD, Cell
from benchmark.run.workspace import Run, locked
from benchmark.training import checkpoint
from tests.tiny import Tiny
from tests.tools import PROJECT, spec

NOBODY = 65534

WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("text", encoding="utf-8"),
    "safetensors": lambda path: save_file({"a": torch.zeros(1)}, path),
    "torch": lambda path: torch.save({"a": torch.zeros(1)}, path),
    "numpy": lambda path: np.save(path.open("wb"), np.zeros(1)),
}


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
@pytest.mark.parametrize("writer", WRITERS)
def test_the_umask_decides(writer: str, mask: int, mode: int, tmp_path: Path) -> None:
    with umask(mask):
        for _ in range(2):  # new, and in the place of another
            with replacing(tmp_path / "file") as temporary:
                WRITERS[writer](temporary)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_group_can_take_each_others_locks(tmp_path: Path) -> None:
    with umask(0o002), locked(tmp_path / "a.lock"):
        assert (tmp_path / "a.lock").stat().st_mode & 0o777 == 0o664


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who may not read what has no permissions, whoever started the tests."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def unreadable() -> Iterator[Path]:
    """A file that this process may not read."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / RECORD
        write_text(path, "{}")
        path.chmod(0)
        Path(name).chmod(0o755)
        with as_nobody():
            yield path


def read_rows(path: Path) -> None:
    with reading(path):
        path.read_text(encoding="utf-8")


READERS: dict[str, Callable[[Path], object]] = {
    "rows": read_rows,
    "record": lambda path: Cell(path.parent).record,
    "weights": lambda path: checkpoint.load_weights(Tiny(spec()), path),
    "run": runs.read,
    "checkpoint": lambda path: checkpoint.restore(Tiny(spec()), path, torch.device("cpu")),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_may_not_be_read_is_not_called_missing_or_damaged(reader: str, unreadable: Path) -> None:
    with pytest.raises(BenchmarkError) as error:
        READERS[reader](unreadable)
    assert str(error.value) == f"{unreadable} may not be read by this user; ask its owner for permission"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run with a part that this user may not look into, beside one whose settings the user may not read."""
    with tempfile.TemporaryDirectory() as name, umask(0):
        Path(name).chmod(0o777)
        shutil.copy(PROJECT / "params.yaml", name)
        monkeypatch.chdir(name)
        run = open_run(profile="smoke", name="ours", changes=("fewshot.steps=4",))
        runs.store(run)
        for part in ("models/ours/seed0", "models/unet/seed0"):
            write_json(run.folder / part / RECORD, {"status": "done"})
        (run.folder / "models/unet/seed0").chmod(0)
        runs.store(replace(run, folder=run.folder.with_name("theirs")))
        Path("runs/theirs/settings.json").chmod(0)
        with as_nobody():
            yield run


def test_a_run_with_a_part_of_another_user_is_removed_whole_or_not_at_all(shared: Run) -> None:
    before = sorted(shared.folder.rglob("*"))
    with pytest.raises(AccessError, match=r"runs/ours/models/unet/seed0 may not be removed by this user"):
        runs.remove([shared.folder])
    assert sorted(shared.folder.rglob("*")) == before


@pytest.mark.usefixtures("shared")
def test_the_list_goes_on_after_a_run_that_may_not_be_read() -> None:
    lines = CliRunner().invoke(cli, "runs").output.splitlines()
    assert lines[0].split() == ["ours", "unusable;", "0", "MB"]
    assert "runs/ours/models/unet/seed0 may not be read" in lines[1]
    assert lines[2].split() == ["theirs", "unusable;", "0", "MB"]
    assert "runs/theirs/settings.json may not be read" in lines[3]


def test_what_may_not_be_looked_into_is_not_left_out_of_the_tables(shared: Run) -> None:
    with pytest.raises(AccessError, match=r"runs/ours/models/unet/seed0 may not be read by this user"):
        list(made(shared))


def test_what_is_stored_of_a_run_stays_that_of_its_user(shared: Run) -> None:
    stored = shared.folder / "settings.json"
    owner = stored.stat().st_ino
    runs.store(shared)
    assert stored.stat().st_ino == owner
    other = shared.settings.model_copy(update={"models": ("unet",)})
    runs.store(replace(shared, settings=other))
    assert runs.read(stored).settings.models == ("unet",)


@pytest.mark.usefixtures("shared")
def test_settings_that_may_not_be_read_are_not_replaced() -> None:
    with pytest.raises(AccessError, match=r"may not be read by this user"):
        open_run(profile="smoke", name="theirs", changes=("fewshot.steps=5",))


def test_nothing_is_taken_from_a_run_that_is_private(shared: Run) -> None:
    mine, wanted = replace(shared, folder=shared.folder.with_name("mine")), {"seed": 0}
    assert cache._elsewhere(mine, Artifact("generator", "unet", 0), wanted) is None  # that of `ours` may not be read
    folder = shared.folder.with_name("other") / "models/unet/seed0"
    write_json(folder / RECORD, {"status": "done", "fingerprint": wanted, "files": {}})
    assert cache._elsewhere(mine, Artifact("generator", "unet", 0), wanted) == folder


def test_a_file_that_may_not_be_written_is_named_itself(unreadable: Path) -> None:
    table = unreadable.with_name("table.csv")
    with pytest.raises(PermissionError) as error:
        write_text(table, "")
    assert error.value.filename == str(table)
