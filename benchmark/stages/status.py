"""The state of a run: what is done and what is missing."""

from collections.abc import Iterator

from benchmark.errors import BenchmarkError
from benchmark.run.artifacts import made
from benchmark.run.owners import described
from benchmark.run.workspace import Run


def states(run: Run) -> Iterator[tuple[str, str, str]]:
    """Yield place, status and reason of every artefact of a run, as last recorded; of one in the making also by whom.

    Raises:
        BenchmarkError: there is nothing yet.
    """
    empty = True
    for artifact, cell in made(run):
        empty = False
        record = cell.record
        by = described(record.get("owner")) if record.get("status") == "running" else ""
        yield artifact.place, str(record.get("status", "damaged")), by or str(record.get("reason", ""))
    if empty:
        raise BenchmarkError(
            f"{run.folder} holds no results yet; run `benchmark run` first, or wait where it is still preparing images"
        )
