"""A cell: a folder that holds one result, and knows what the result was made from.

`run.json` in the folder holds a status (`running`, `done`, `interrupted`, `diverged`) and the fingerprint:
everything that can change the result. A finished cell with an equal fingerprint is skipped, an unfinished one is
resumed (from its checkpoint, where the work keeps one), and one with another fingerprint is made anew.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.files import write_json

RECORD = "run.json"


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
        """Compare the fingerprints."""
        record = self.record
        if not record:
            damaged = (self.folder / RECORD).exists()
            return Decision("make", f"{RECORD} is damaged" if damaged else "nothing there yet")
        changed = difference(record.get("fingerprint"), json.loads(json.dumps(self.fingerprint)))
        if changed:
            return Decision("make", changed)
        if record.get("status") == "done":
            return Decision("skip", "done, nothing changed")
        return Decision("resume", f"was {record.get('status')}")

    @property
    def done(self) -> bool:
        """Whether the cell is finished with this very fingerprint."""
        return self.decide().action == "skip"

    def begin(self, decision: Decision) -> None:
        """Empty the folder unless its content is to be used, and record that work is under way."""
        if decision.action == "make" and self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.note("running")

    def note(self, status: str, reason: str = "", **facts: Any) -> None:
        """Record a status; `facts` are kept beside it."""
        record = {"status": status, "reason": reason, "fingerprint": self.fingerprint, **facts}
        write_json(self.folder / RECORD, record)


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
