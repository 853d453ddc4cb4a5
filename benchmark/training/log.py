"""The CSV log of a training run: one row every few cycles, no times in it."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from benchmark.files import reading, replacing, sync, writing


class Log:
    """Rows of cycle, images and losses in a CSV file.

    A loss that a row does not have is an empty cell. A loss that appears later gets a column of its own behind the
    others; the file is then written again.

    Args:
        path: the file.
        cycle: rows after this cycle are dropped first, with the columns that only they fill; 0 starts from scratch.
    """

    def __init__(self, path: Path, cycle: int) -> None:
        self.path = path
        kept = self._rows(cycle) if cycle else []
        self.columns = [column for column in (kept[0] if kept else ()) if any(row[column] for row in kept)]
        self._rewrite(kept)

    def _rows(self, last: float = math.inf) -> list[dict[str, str]]:
        """Return the rows up to the cycle `last`, without a line whose end is missing: its writing was interrupted."""
        if not self.path.exists():
            return []
        with reading(self.path):
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            rows = csv.DictReader(line for line in lines if line.endswith("\n"))
            return [row for row in rows if int(row["cycle"]) <= last]

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        with replacing(self.path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            if rows:
                self._writer(stream).writeheader()
                self._writer(stream).writerows(rows)

    def _writer(self, stream: IO[str]) -> "csv.DictWriter[str]":
        return csv.DictWriter(stream, self.columns, restval="", extrasaction="ignore", lineterminator="\n")

    def add(self, cycle: int, images: int, losses: Mapping[str, float]) -> None:
        """Append one row."""
        row = {"cycle": str(cycle), "images": str(images), **{k: f"{v:.6f}" for k, v in losses.items()}}
        new = [column for column in row if column not in self.columns]
        if new:
            self.columns += new
            self._rewrite([*self._rows(), row])
            return
        with writing(self.path), self.path.open("a", encoding="utf-8", newline="") as stream:
            self._writer(stream).writerow(row)

    def sync(self) -> None:
        """Wait until the rows are on the disk, before a checkpoint counts on them."""
        sync(self.path)
