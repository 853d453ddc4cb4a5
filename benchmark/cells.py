"""A cell: a folder that holds one result, and knows what the result was made from.

`run.json` in the folder holds a status (`running`, `done`, `interrupted`, `diverged`, `failed`), the reason for it,
the fingerprint: everything that can change the result, and at the end the hashes of the files that are the result. A
finished cell with an equal fingerprint is skipped, an unfinished one is resumed (from its checkpoint, where the work
keeps one), and one with another fingerprint, or with a file that is gone or was altered since, is made anew. Work on a
cell happens under its lock (`workspace.Run.lock`).
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, DivergedError, InterruptedRun
from benchmark.files import write_json

RECORD = "run.json"
STOPPED = "stopped by the user or the system"


@dataclass(frozen=True)
class Decision:
    """What to do with a cell (`skip`, `resume` or `make`), and why."""

    action: str
    reason: str


@dataclass(frozen=True)
class Cell:
    """A folder and the fingerprint that its content must have."""

    folder: Path
    fingerprint: dict[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        """The content of `run.json`, empty if it is missing or damaged."""
        try:
            content = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def decide(self) -> Decision:
        """Compare the fingerprints, and of a finished cell the files."""
        record = self.record
        if not record:
            damaged = (self.folder / RECORD).exists()
            return Decision("make", f"{RECORD} is damaged" if damaged else "nothing there yet")
        changed = difference(record.get("fingerprint"), json.loads(json.dumps(self.fingerprint)))
        if changed:
            return Decision("make", changed)
        if record.get("status") != "done":
            return Decision("resume", f"was {record.get('status')}")
        altered = self._altered(record.get("files", {}))
        return Decision("make", altered) if altered else Decision("skip", "done, nothing changed")

    def _altered(self, files: Any) -> str:
        """Return in words the first file that is not what was recorded, an empty string if all are."""
        if not isinstance(files, dict):
            return f"{RECORD} is damaged"
        for name, digest in files.items():
            path = self.folder / name
            if not path.is_file():
                return f"{name} is missing"
            if content_hash(path) != digest:
                return f"{name} was altered"
        return ""

    @property
    def done(self) -> bool:
        """Whether the cell is finished with this very fingerprint."""
        return self.decide().action == "skip"

    @contextmanager
    def making(self, decision: Decision, **facts: Any) -> Iterator[None]:
        """Begin, and record why if the block does not come to its end; it is the block that records `done`.

        `facts` are kept beside the status until then.
        """
        self.begin(decision, **facts)
        try:
            yield
        except BaseException as error:
            with suppress(BenchmarkError, OSError):  # what stopped the work is said, not that it cannot be recorded
                self.note(*_ending(error), **facts)
            raise

    def begin(self, decision: Decision, **facts: Any) -> None:
        """Empty the folder unless its content is to be used, and record that work is under way.

        Raises:
            BenchmarkError: the folder is a link to another one, which is not to be emptied.
        """
        if decision.action == "make" and self.folder.exists():
            if self.folder.is_symlink():
                raise BenchmarkError(f"{self.folder} is a link to another folder; remove the link and run again")
            (self.folder / RECORD).unlink(missing_ok=True)  # first: half emptied, the folder must not count as done
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.note("running", **facts)

    def finish(self, *files: str, **facts: Any) -> None:
        """Record that the work is done; `files` in the folder are its result, `facts` are kept beside their hashes."""
        hashes = {name: content_hash(self.folder / name) for name in files}
        self.note("done", files=hashes, **facts)

    def note(self, status: str, reason: str = "", **facts: Any) -> None:
        """Record a status; `facts` are kept beside it."""
        record = {"status": status, "reason": reason, "fingerprint": self.fingerprint, **facts}
        write_json(self.folder / RECORD, record)

    def amend(self, status: str, reason: str) -> None:
        """Record a status; all else of the record stays."""
        write_json(self.folder / RECORD, {**self.record, "status": status, "reason": reason})


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's content, which is read again only where size or time have changed."""
    facts = path.stat()
    return _content_hash(path, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@cache
def _content_hash(path: Path, *version: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ending(error: BaseException) -> tuple[str, str]:
    """Return the status and the reason that an exception leaves."""
    if isinstance(error, KeyboardInterrupt | InterruptedRun):
        return "interrupted", str(error) or STOPPED
    return "diverged" if isinstance(error, DivergedError) else "failed", sentence(error)


def sentence(error: BaseException) -> str:
    """Return an exception as one line: what it says if it was written for the user, else with its type."""
    said = " ".join(str(error).split())
    return said if isinstance(error, BenchmarkError) else f"{type(error).__name__}: {said}".removesuffix(": ")


def difference(old: Any, new: Any, key: str = "") -> str:
    """Return in words the first difference of two fingerprints, an empty string if there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        parts = (difference(old.get(k), new.get(k), f"{key}.{k}".lstrip(".")) for k in sorted({*old, *new}))
        return next((part for part in parts if part), "")
    if old == new:
        return ""
    if "sources." in key:
        return f"{key.partition('sources.')[2]} changed"
    if key.endswith("hash"):
        return f"{key.removesuffix('_hash')} changed"
    return f"{key or 'fingerprint'} changed from {old} to {new}"
