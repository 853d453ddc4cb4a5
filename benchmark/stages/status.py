"""What is there of a run."""

from collections.abc import Iterator
from pathlib import Path

from benchmark.cells import RECORD, Cell
from benchmark.errors import BenchmarkError


def cells(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, status and reason of every cell below a run's folder, as last recorded.

    Raises:
        BenchmarkError: there is nothing yet.
    """
    found = sorted(folder.rglob(RECORD))
    if not found:
        raise BenchmarkError(f"{folder} holds no results yet; run `benchmark run` first")
    for path in found:
        record = Cell(path.parent, {}).record
        name = path.parent.relative_to(folder).as_posix()
        yield name, str(record.get("status", "damaged")), str(record.get("reason", ""))
