import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import BenchmarkError
from benchmark.exits import clean_exit
from benchmark.files import reading, replacing, write_json, write_text
from benchmark.run.owners import HOST


def test_text_and_json_are_written_with_plain_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "one\ntwo\n")
    write_json(tmp_path / "b.json", {"b": 1, "a": [2]})
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "b.json").read_bytes() == b'{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n'


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError), replacing(path) as temporary:
        temporary.write_text("half" * 10000 + "\ud800", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), RuntimeError("No space left")])
def test_a_full_disk_is_named(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(BenchmarkError, match=r"a\.txt"), replacing(tmp_path / "a.txt"):
        raise error


def test_other_failures_are_no_full_disk(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), replacing(tmp_path / "a.txt"):
        raise PermissionError("not yours")


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npy").touch()
    with pytest.raises(BenchmarkError, match=r"a\.npy"), reading(tmp_path / "a.npy"):
        np.load(tmp_path / "a.npy", mmap_mode="r", allow_pickle=False)


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_is_removed(tmp_path: Path, dead: int) -> None:
    (tmp_path / f".a.txt.{HOST}.{dead}.part").write_text("half", encoding="utf-8")
    folder = tmp_path / f".a.txt.{HOST}.{os.getpid()}.part"  # an earlier process can have had this number
    folder.mkdir()
    (folder / "half").touch()
    write_text(tmp_path / "a.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_others_write_or_keep_stays(tmp_path: Path, dead: int) -> None:
    names = {f".a.txt.{HOST}.{os.getppid()}.part", f".b.txt.{HOST}.{dead}.part", f"a.txt.{HOST}.{dead}.part"}
    names |= {".a.txt.mine.part", f".a.txt.elsewhere-1.{dead}.part"}  # of another host, which may be writing
    for name in names:
        (tmp_path / name).touch()
    write_text(tmp_path / "a.txt", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", *names}


def test_content_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda number: seen.append((tmp_path / "a.txt").exists()))
    write_text(tmp_path / "a.txt", "whole")
    assert seen == [False]


def test_a_full_disk_outside_of_replacing_ends_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "log.csv")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: no space left on the disk for log.csv")
