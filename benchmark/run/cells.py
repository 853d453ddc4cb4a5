"""A cell: a folder that holds one artefact, and the record of what it was made from.

`run.json` in the folder holds a status (`running`, `done`, `interrupted`, `diverged`, `failed`), the reason for it, the
fingerprint (everything that can change the content, see `artifacts`), while it is being made the process that
makes it, and at the end the hashes of the files that are the result.
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
from benchmark.files import check_access, write_json
from benchmark.run.owners import described, this_process

RECORD = "run.json"
ABSENT = "absent"  # key of a record: files that were left out where it was restored from an archive of results
STOPPED = "stopped by the user or the system"
NOT_DONE = ("interrupted", "diverged", "failed")  # status of a cell whose making has ended early


@dataclass(frozen=True)
class Cell:
    """A folder with its record."""

    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """The content of `run.json`, empty if it is missing or damaged.

        Raises:
            BenchmarkError: this user may not read it.
        """
        try:
            content = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            check_access(error, self.folder / RECORD)
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def damaged(self) -> bool:
        """Return whether there is a record that cannot be read."""
        return not self.record and (self.folder / RECORD).exists()

    def altered(self, complete: bool = True) -> str:
        """Return in words the first file that is not what was recorded, an empty string if all are.

        Args:
            complete: whether the files have to be there that were left out of an archive of results.
        """
        record = self.record
        files, absent = record.get("files"), record.get(ABSENT, [])
        if not isinstance(files, dict):
            return f"{RECORD} is damaged"
        for name, digest in files.items():
            path = self.folder / name
            if not path.is_file():
                if not complete and name in absent:
                    continue
                return f"{name} is missing"
            if content_hash(path) != digest:
                return f"{name} was altered"
        return ""

    @contextmanager
    def making(self, fingerprint: dict[str, Any], resume: bool = False) -> Iterator[None]:
        """Begin, and record why if the block does not come to its end; it is the block that records `done`.

        Args:
            fingerprint: what it is made from.
            resume: whether what is in the folder is used; otherwise it is removed first.

        Raises:
            BenchmarkError: the folder is a link to another one, which is not to be emptied.
        """
        if not resume and self.folder.exists():
            if self.folder.is_symlink():
                raise BenchmarkError(f"{self.folder} is a link to another folder; remove the link and run again")
            (self.folder / RECORD).unlink(missing_ok=True)  # first: half emptied, the folder must not count as done
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        before = self.record if resume else {}
        told = {"fingerprint": fingerprint, "status": "running", "reason": "", "owner": this_process()}
        self._write({**before, **told})
        try:
            yield
        except BaseException as error:
            status, reason = "failed", sentence(error)
            if isinstance(error, KeyboardInterrupt | InterruptedRun):
                status, reason = "interrupted", str(error) or STOPPED
            elif isinstance(error, DivergedError):
                status = "diverged"
            with suppress(BenchmarkError, OSError):  # what stopped the work is said, not that it cannot be recorded
                self.check_owner()
                self.amend(status, reason)
            raise

    def note(self, **facts: Any) -> None:
        """Add facts to the record of what is being made."""
        self.check_owner()
        self._write({**self.record, **facts})

    def check_owner(self) -> None:
        """Raise BenchmarkError if another process has taken over what this one makes: nothing is to be replaced then.

        A host that lost its connection to a shared folder, and so its lock, can come back.
        """
        owner, this = self.record.get("owner"), this_process()
        if isinstance(owner, dict) and (owner.get("host"), owner.get("process")) != (this["host"], this["process"]):
            raise BenchmarkError(f"{self.folder} has been taken over by another process ({described(owner)})")

    def finish(self, files: tuple[str, ...], **facts: Any) -> None:
        """Record that it is done; `files` in the folder are the result, `facts` are kept beside their hashes."""
        self.check_owner()
        fingerprint = self.record["fingerprint"]
        hashes = {name: content_hash(self.folder / name) for name in files}
        self._write({**facts, "fingerprint": fingerprint, "status": "done", "reason": "", "files": hashes})

    def amend(self, status: str, reason: str) -> None:
        """Record that the process that made it has ended early; all else of the record stays."""
        record = {key: value for key, value in self.record.items() if key != "owner"}
        self._write({**record, "status": status, "reason": reason})

    def _write(self, record: dict[str, Any]) -> None:
        write_json(self.folder / RECORD, record)


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's content, which is read again only where size or time have changed."""
    facts = path.stat()
    return _content_hash(path, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@cache
def _content_hash(path: Path, *version: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    for whole in ("sources.", "inputs."):
        if whole in key:
            return f"{key.partition(whole)[2]} changed"
    if key.endswith("hash"):
        return f"{key.removesuffix('_hash')} changed"
    return f"{key.removeprefix('settings.') or 'fingerprint'} changed from {old} to {new}"
