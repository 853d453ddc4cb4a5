"""The CSV log of a training: one row every few cycles, no times in it."""

import csv
from collections.abc import Mapping
from pathlib import Path

from benchmark.files import reading, replacing


class Log:
    """Rows of cycle, images and losses, appended to a CSV file.

    Args:
        path: the file.
        cycle: rows after this cycle are dropped first; 0 starts anew.
    """

    def __init__(self, path: Path, cycle: int) -> None:
        self.path = path
        kept = [row for row in self._rows() if int(row["cycle"]) <= cycle] if cycle else []
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            self._write(stream, kept, header=bool(kept))

    def _rows(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        with reading(self.path), self.path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    @staticmethod
    def _write(stream: object, rows: list[dict[str, str]], header: bool) -> None:
        if rows:
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")  # type: ignore[arg-type]
            if header:
                writer.writeheader()
            writer.writerows(rows)

    def add(self, cycle: int, images: int, losses: Mapping[str, float]) -> None:
        """Append one row."""
        row = {"cycle": str(cycle), "images": str(images), **{k: f"{v:.6f}" for k, v in losses.items()}}
        with self.path.open("a", encoding="utf-8", newline="") as stream:
            self._write(stream, [row], header=stream.tell() == 0)
