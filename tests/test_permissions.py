"""Who may read a file is decided by the umask; a file that may not be read is called that, and nothing else."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from benchmark.errors import BenchmarkError
from benchmark.files import reading, replacing, write_text
from benchmark.run.cells import RECORD, Cell
from benchmark.run.workspace import locked
from benchmark.training import checkpoint
from tests.tiny import Tiny
from tests.tools import spec

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


@pytest.fixture
def unreadable() -> Iterator[Path]:
    """A file that this process may not read, whoever started the tests."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / RECORD
        write_text(path, "{}")
        path.chmod(0)
        Path(name).chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            yield path
        finally:
            os.seteuid(user)


def read_rows(path: Path) -> None:
    with reading(path):
        path.read_text(encoding="utf-8")


READERS: dict[str, Callable[[Path], object]] = {
    "rows": read_rows,
    "record": lambda path: Cell(path.parent).record,
    "weights": lambda path: checkpoint.load_weights(Tiny(spec()), path),
    "checkpoint": lambda path: checkpoint.restore(Tiny(spec()), path, torch.device("cpu")),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_may_not_be_read_is_not_called_missing_or_damaged(reader: str, unreadable: Path) -> None:
    with pytest.raises(BenchmarkError) as error:
        READERS[reader](unreadable)
    assert str(error.value) == f"{unreadable} may not be read by this user; ask its owner for permission"
