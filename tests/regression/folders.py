"""Folders of results with planted rates."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

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
        identity = tables.identity_table(made.identity, "quick")
        write_csv(identity[tables.COMPARED], folder / "identity.csv")
        write_csv(tables.diagnostics(identity), folder / "identity_diagnostics.csv")
        write_csv(fewshot.fewshot_table(made.fewshot, SETTINGS.fewshot, "quick"), folder / "fewshot.csv")
    return folder


def as_earlier(folder: Path) -> Path:
    """Write the tables as they were once: one table of identity, and other names of columns; return the folder."""
    names = {"images_seen": "images", "train_images": "auxiliary_images", "connection_size": "map"}
    names |= {"n_excluded": "left_out", "augmentation": "added"}
    identity, beside, fewshot = (
        pd.read_csv(folder / f"{name}.csv", dtype=str) for name in ("identity", "identity_diagnostics", "fewshot")
    )
    (folder / "identity_diagnostics.csv").unlink()
    whole = identity.merge(beside.drop(columns="n_seeds"), on=["profile", "model", "split", "nc"])
    for name, table in (("identity", whole), ("fewshot", fewshot)):
        earlier = table.rename(columns=lambda column: names.get(column, column.replace("copy_rate_", "copied_")))
        earlier.to_csv(folder / f"{name}.csv", index=False)
    return folder


def without_rows(folder: Path) -> Path:
    """Remove the stored rows, so that the tables alone are left."""
    for path in sorted((folder / FOLDER).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / FOLDER).rmdir()
    return folder
