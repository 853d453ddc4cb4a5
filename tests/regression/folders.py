"""Folders of results with planted rates."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.reporting import fewshot, tables
from benchmark.results import rows
from benchmark.results.rows import FOLDER, write_csv
from tests.reporting.made import made_rows, profile

SETTINGS = profile("quick", evaluation__nc=[20], fewshot__shots=[5], fewshot__ways=20)
Rates = Mapping[str, Sequence[float]]
OURS = {"ours": [0.5, 0.52, 0.54], "unet": [0.3, 0.31, 0.35], "real": [0.9]}


def results(folder: Path, identity: Rates | None = None, recognised: Rates | None = None, table: bool = True) -> Path:
    """Write stored rows with these rates for each training seed, and their tables; return the folder."""
    made = made_rows(identity or OURS, recognised, SETTINGS)
    rows.write(made, folder)
    if table:
        write_csv(tables.identity_table(made.identity, "quick"), folder / "identity.csv")
        write_csv(fewshot.fewshot_table(made.fewshot, SETTINGS.fewshot, "quick"), folder / "fewshot.csv")
    return folder


def without_rows(folder: Path) -> Path:
    """Remove the stored rows, so that the tables alone are left."""
    for path in sorted((folder / FOLDER).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / FOLDER).rmdir()
    return folder
