"""Variants and results of a run."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.config.settings import Profile, override
from benchmark.execution.tasks import Task, carry_out
from benchmark.run.workspace import Run
from benchmark.stages.collect import collect
from benchmark.stages.report import report


def changed(run: Run, **changes: Any) -> Run:
    """Return the run with other settings; `__` stands for the dot in their names."""
    values = {key.replace("__", "."): value for key, value in changes.items()}
    settings_now: Profile = override(run.settings, values)
    return replace(run, settings=settings_now)


def do(run: Run, kind: str, name: str = "", seed: int = 0, wait: bool = True) -> None:
    """Carry out one task in this process."""
    carry_out(run, Task(kind, name, seed), wait)


def reported(run: Run) -> None:
    """Collect what is measured, and write tables and figures of it."""
    collect(run)
    report(run)


def tables(run: Run) -> dict[str, bytes]:
    return {name: (run.results / name).read_bytes() for name in ("identity.csv", "identity.md", "fewshot.csv")}


def identity_csv(run: Run) -> pd.DataFrame:
    """Return the identity table with its diagnostics beside it."""
    names = ("identity.csv", "identity_diagnostics.csv")
    table, beside = (pd.read_csv(run.results / name, dtype={"connection_size": str}) for name in names)
    return table.merge(beside.drop(columns="n_seeds"), on=["profile", "model", "split", "nc"], validate="1:1")


def alone(run: Run, name: str) -> Run:
    """Return the run in a folder of the same name with no other beside it, from which something could be taken."""
    return replace(run, folder=Path("alone") / name / "runs" / run.name)


def copy_of_data(run: Run, name: str) -> Run:
    other = alone(run, name)
    shutil.copytree(run.data, other.data)
    return other
