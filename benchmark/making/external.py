"""Pictures that were made elsewhere: a command brings them, checked already, and the artefact is what it brought."""

from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError
from benchmark.run.artifacts import Made

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.artifacts import Artifact
    from benchmark.run.workspace import Pictures, Run

PICTURES, TABLE = "pictures.npy", "outputs.csv"  # (N, views, S, S, 3), uint8; and which file each was


def _brought(run: "Run", artifact: "Artifact") -> "Pictures | None":
    return run.pictures if run.pictures and run.pictures.name == artifact.name else None


def digest(run: "Run", artifact: "Artifact") -> str:
    """Return the hash of the pictures that the command brings, or else of those that are on record."""
    brought = _brought(run, artifact)
    recorded = artifact.cell(run).record.get("fingerprint")
    return brought.digest if brought else str((recorded or {}).get("pictures_hash", ""))


def needs(run: "Run", artifact: "Artifact") -> "list[Artifact]":
    """Return nothing: it is made from no other artefact.

    Raises:
        BenchmarkError: the command brings no pictures, so that it cannot be made and must stay as it is.
    """
    if not _brought(run, artifact):
        raise BenchmarkError(
            f"{artifact.place} is missing, damaged, or of other images than those of the settings, and cannot be made "
            f"without its pictures: bring them by `benchmark evaluate --name {artifact.name} --images DIR`"
        )
    return []


def make(run: "Run", artifact: "Artifact", folder: "Path") -> Made:
    """Move what the command brings into the folder."""
    if brought := _brought(run, artifact):
        for name in (PICTURES, TABLE):
            (brought.folder / name).replace(folder / name)
    return Made((PICTURES, TABLE), {})
