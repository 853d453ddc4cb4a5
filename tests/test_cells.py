"""The record of a folder: what it says while something is made, afterwards, and after a failure."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import BenchmarkError, DivergedError, InterruptedRun
from benchmark.run.cells import RECORD, Cell, difference
from benchmark.run.owners import HOST, described, this_process

FINGERPRINT: dict[str, Any] = {
    "seed": 0,
    "settings": {"training.width": 0.25, "data.views": ["left", "front"]},
    "data_hash": "aaaa",
    "sources": {"models/ours.py": "1234", "models/interface.py": "5678"},
    "inputs": {"extractors/view": "1234"},
}


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return Cell(tmp_path / "runs" / "ours" / "seed0")


def changed(**changes: Any) -> dict[str, Any]:
    return {**FINGERPRINT, **changes}


def finish(cell: Cell) -> None:
    with cell.making(FINGERPRINT):
        (cell.folder / "weights").write_text("abc")
        cell.finish(("weights",), accuracy=0.5)


def test_the_record_of_what_is_done_names_files_and_no_process(cell: Cell) -> None:
    finish(cell)
    assert cell.record.keys() == {"status", "reason", "fingerprint", "files", "accuracy"}
    assert (cell.record["status"], cell.record["accuracy"]) == ("done", 0.5)
    assert cell.altered() == ""


@pytest.mark.parametrize("content", ["abd", None])
def test_an_altered_file_is_named(cell: Cell, content: str | None) -> None:
    finish(cell)
    path = cell.folder / "weights"
    path.unlink()
    if content:
        path.write_text(content)
    assert cell.altered() == ("weights was altered" if content else "weights is missing")


def test_while_something_is_made_its_record_names_the_process(cell: Cell) -> None:
    with cell.making(FINGERPRINT):
        assert cell.record["status"] == "running"
        assert cell.record["owner"] | {"since": 0} == this_process() | {"since": 0}
        assert "on this host" in described(cell.record["owner"])
        cell.finish(())


def fail(cell: Cell, error: BaseException) -> None:
    (cell.folder / "checkpoint.pt").write_text("half")
    cell.note(device_name="a processor")
    raise error


def taken_over(cell: Cell, owner: dict[str, Any]) -> None:
    (cell.folder / RECORD).write_text(json.dumps(cell.record | {"owner": owner}))
    cell.finish(())


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (InterruptedRun("saved after cycle 3"), "interrupted", "saved after cycle 3"),
        (KeyboardInterrupt(), "interrupted", "stopped by the user or the system"),
        (DivergedError("the loss is nan"), "diverged", "the loss is nan"),
        (RuntimeError("two\nlines"), "failed", "RuntimeError: two lines"),
    ],
)
def test_a_failure_is_recorded_with_what_was_noted_before(
    cell: Cell, error: BaseException, status: str, reason: str
) -> None:
    with pytest.raises(type(error)), cell.making(FINGERPRINT):
        fail(cell, error)
    assert cell.record == {
        "fingerprint": FINGERPRINT,
        "status": status,
        "reason": reason,
        "device_name": "a processor",
    }


@pytest.mark.parametrize("resume", [True, False])
def test_what_is_resumed_keeps_its_files(cell: Cell, resume: bool) -> None:
    with pytest.raises(KeyboardInterrupt), cell.making(FINGERPRINT):
        fail(cell, KeyboardInterrupt())
    with cell.making(FINGERPRINT, resume=resume):
        assert (cell.folder / "checkpoint.pt").exists() == resume
        cell.finish(())


def test_who_has_lost_a_folder_to_another_host_writes_nothing_more(cell: Cell) -> None:
    taken = {"host": "elsewhere", "process": 1, "since": 0.0}
    with pytest.raises(BenchmarkError, match="another process"), cell.making(FINGERPRINT):
        taken_over(cell, taken)
    assert cell.record["owner"] == taken


def test_a_process_that_has_ended_without_a_word_is_told_from_one_elsewhere() -> None:
    assert "has ended without a word" in described({"host": HOST, "process": 2**22 + 1, "since": 0.0})
    assert "on elsewhere for" in described({"host": "elsewhere", "process": 1, "since": 0.0})
    assert described(None) == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"null"])
def test_a_damaged_record_is_known_as_such(cell: Cell, content: bytes) -> None:
    assert not cell.damaged
    cell.folder.mkdir(parents=True)
    (cell.folder / RECORD).write_bytes(content)
    assert cell.record == {}
    assert cell.damaged


@pytest.mark.parametrize("files", [None, ["weights"], "weights"])
def test_a_record_whose_files_have_no_hashes_is_damaged(cell: Cell, files: Any) -> None:
    finish(cell)
    (cell.folder / RECORD).write_text(json.dumps(cell.record | {"files": files}))
    assert cell.altered() == "run.json is damaged"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (changed(), ""),
        (changed(seed=1), "seed changed from 0 to 1"),
        (
            changed(settings={"training.width": 0.5, "data.views": ["left", "front"]}),
            "training.width changed from 0.25",
        ),
        (changed(data_hash="bbbb"), "data changed"),
        (changed(sources={"models/ours.py": "9999", "models/interface.py": "5678"}), "models/ours.py changed"),
        (changed(sources={"models/ours.py": "1234"}), "models/interface.py changed"),
        (changed(inputs={}), "extractors/view changed"),
        (changed(device="cpu"), "device changed from None to cpu"),
    ],
)
def test_the_first_difference_is_said(now: dict[str, Any], reason: str) -> None:
    found = difference(FINGERPRINT, now)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_differences_come_in_the_order_of_the_keys() -> None:
    assert difference({"b": 1, "a": {"y": 1, "x": 2}}, {"b": 2, "a": {"y": 3, "x": 2}}) == "a.y changed from 1 to 3"
    assert difference(None, {"a": 1}) == "fingerprint changed from None to {'a': 1}"


def test_a_folder_elsewhere_is_not_emptied(cell: Cell, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    (elsewhere / "letter.txt").write_text("mine")
    cell.folder.parent.mkdir(parents=True)
    cell.folder.symlink_to(elsewhere)
    with pytest.raises(BenchmarkError, match="is a link"), cell.making(FINGERPRINT):
        pass
    assert [path.name for path in elsewhere.iterdir()] == ["letter.txt"]
