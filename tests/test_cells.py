"""When a result is kept, resumed or made anew, and what the user is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark.cells import RECORD, Cell, Decision, difference
from benchmark.errors import BenchmarkError

FINGERPRINT: dict[str, Any] = {
    "seed": 0,
    "spec": {"width": 0.25, "views": 5},
    "views": ["left", "front"],
    "data_hash": "aaaa",
    "sources": {"models/ours.py": "1234", "models/interface.py": "5678"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "ours" / "seed0"


def changed(**changes: Any) -> dict[str, Any]:
    return {**FINGERPRINT, **changes}


def test_nothing_there(folder: Path) -> None:
    cell = Cell(folder, FINGERPRINT)
    assert cell.decide() == Decision("make", "nothing there yet")
    assert not cell.done
    assert not folder.exists()


def test_done_is_skipped(folder: Path) -> None:
    cell = Cell(folder, FINGERPRINT)
    cell.begin(cell.decide())
    assert cell.record["status"] == "running"
    cell.note("done", accuracy=0.5)
    assert cell.decide() == Decision("skip", "done, nothing changed")
    assert cell.done
    assert cell.record["accuracy"] == 0.5


@pytest.mark.parametrize("status", ["running", "interrupted", "diverged", "failed"])
def test_unfinished_is_resumed(folder: Path, status: str) -> None:
    cell = Cell(folder, FINGERPRINT)
    cell.begin(cell.decide())
    (folder / "checkpoint.pt").write_text("half")
    cell.note(status)
    decision = cell.decide()
    assert decision == Decision("resume", f"was {status}")
    cell.begin(decision)
    assert (folder / "checkpoint.pt").read_text() == "half"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (changed(seed=1), "seed changed from 0 to 1"),
        (changed(spec={"width": 0.5, "views": 5}), "spec.width changed from 0.25 to 0.5"),
        (changed(data_hash="bbbb"), "data changed"),
        (
            changed(sources={"models/ours.py": "9999", "models/interface.py": "5678"}),
            "models/ours.py changed",
        ),
        (changed(sources={"models/ours.py": "1234"}), "models/interface.py changed"),
        (changed(views=["left"]), "views changed from ['left', 'front'] to ['left']"),
        (changed(device="cpu"), "device changed from None to cpu"),
    ],
)
@pytest.mark.parametrize("status", ["done", "interrupted"])
def test_another_fingerprint_is_made_anew(folder: Path, status: str, now: dict[str, Any], reason: str) -> None:
    old = Cell(folder, FINGERPRINT)
    old.begin(old.decide())
    old.note(status)
    (folder / "checkpoint.pt").write_text("stale")
    new = Cell(folder, now)
    decision = new.decide()
    assert decision == Decision("make", reason)
    new.begin(decision)
    assert [path.name for path in folder.iterdir()] == [RECORD]
    assert new.decide() == Decision("resume", "was running")


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"null"])
def test_a_damaged_record_is_made_anew(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / RECORD).write_bytes(content)
    assert Cell(folder, FINGERPRINT).record == {}
    assert Cell(folder, FINGERPRINT).decide().action == "make"


def test_a_record_without_fingerprint_is_made_anew(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / RECORD).write_text(json.dumps({"status": "done"}))
    assert Cell(folder, FINGERPRINT).decide().action == "make"


@pytest.mark.parametrize("files", [None, ["generator.safetensors"], "generator.safetensors"])
def test_a_record_whose_files_have_no_hashes_is_made_anew(folder: Path, files: Any) -> None:
    cell = Cell(folder, FINGERPRINT)
    cell.begin(cell.decide())
    cell.note("done", files=files)
    assert cell.decide() == Decision("make", "run.json is damaged")


def test_tuples_survive_the_way_through_json(folder: Path) -> None:
    cell = Cell(folder, {"nc": (5, 12), "share": 0.1 + 0.2})
    cell.begin(cell.decide())
    cell.note("done")
    assert Cell(folder, {"nc": (5, 12), "share": 0.1 + 0.2}).done
    assert not Cell(folder, {"nc": (5, 12), "share": 0.3}).done


def test_the_first_difference_in_the_order_of_the_keys() -> None:
    assert difference({"b": 1, "a": {"y": 1, "x": 2}}, {"b": 2, "a": {"y": 3, "x": 2}}) == "a.y changed from 1 to 3"
    assert difference({"a": {"x": 1}}, {"a": {"x": 1}}) == ""
    assert difference(None, {"a": 1}) == "fingerprint changed from None to {'a': 1}"


def test_another_status_leaves_the_rest_of_the_record(folder: Path) -> None:
    cell = Cell(folder, FINGERPRINT)
    cell.begin(cell.decide(), device_name="a processor")
    before = cell.record
    Cell(folder, {}).amend("interrupted", "killed")
    assert cell.record == before | {"status": "interrupted", "reason": "killed"}


def test_a_folder_elsewhere_is_not_emptied(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    (elsewhere / "letter.txt").write_text("mine")
    folder.parent.mkdir(parents=True)
    folder.symlink_to(elsewhere)
    cell = Cell(folder, FINGERPRINT)
    with pytest.raises(BenchmarkError, match="ours/seed0 is a link to another folder; remove the link"):
        cell.begin(cell.decide())
    assert [path.name for path in elsewhere.iterdir()] == ["letter.txt"]
