"""Stored rows and tables of results that are damaged, of another shape, or name what lies elsewhere."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hostile import judge
from tests.tools import PROJECT

STORED = PROJECT / "results/reference/smoke"
READ = ("report", "compare")


@pytest.fixture
def results(place: Path) -> Path:
    """A folder of whole results beside the project's `old`, which is the same."""
    shutil.copytree(STORED, place / "results", ignore=shutil.ignore_patterns("paper", "figures", "*.tex", "*.md"))
    return place / "results"


def facts(**changes: Any) -> Callable[[Path], object]:
    """Change values of facts.json; the key's parts are divided by `__`."""

    def spoil(folder: Path) -> None:
        path = folder / "rows/facts.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        for key, value in changes.items():
            *sections, last = key.split("__")
            target = content
            for section in sections:
                target = target[section]
            target[last] = value
        path.write_text(json.dumps(content), encoding="utf-8")

    return spoil


def column(file: str, name: str, value: Any) -> Callable[[Path], object]:
    """Give one column of a stored table another value in every row, or take it out (null).

    Rows that were stored earlier may lack it.
    """

    def spoil(folder: Path) -> None:
        path = folder / "rows" / file
        if path.suffix == ".csv":
            table = pd.read_csv(path)
            changed = table.drop(columns=name) if value is None else table.assign(**{name: value})
            changed.to_csv(path, index=False)
            return
        groups = [_changed(group, name, value) for group in _groups(path)]
        with pq.ParquetWriter(path, groups[0].schema) as writer:
            for group in groups:
                writer.write_table(group)

    return spoil


def _groups(path: Path) -> list[pa.Table]:
    with pq.ParquetFile(path) as file:
        return [file.read_row_group(number) for number in range(file.num_row_groups)]


def _changed(rows: pa.Table, name: str, value: Any) -> pa.Table:
    rest = rows.drop_columns([name] if name in rows.column_names else [])
    return rest if value is None else rest.append_column(name, pa.array([value] * len(rows)))


def one_group(folder: Path) -> None:
    """Put all measurements into one row group, as a program does that knows nothing of them."""
    path = folder / "rows/identity.parquet"
    pq.write_table(pq.read_table(path), path)


def bytes_of(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(content)


def cut(file: str, share: float = 0.5) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: int(share * len(content))])

    return spoil


ROWS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "facts empty": ("facts.json", bytes_of("rows/facts.json", b"")),
    "facts cut": ("facts.json", cut("rows/facts.json")),
    "facts a list": ("facts.json", bytes_of("rows/facts.json", b"[]")),
    "facts a number": ("facts.json", bytes_of("rows/facts.json", b"3")),
    "facts binary": ("facts.json", bytes_of("rows/facts.json", bytes(range(256)))),
    "facts nested": ("facts.json", bytes_of("rows/facts.json", b"[" * 10**5)),
    "facts of another version": ("facts.json", facts(more=1)),
    "facts with a number as name": ("facts.json", facts(name=3)),
    "facts with a path as profile": ("facts.json", facts(settings__name="../../x")),
    "facts with a path as model": ("facts.json", facts(settings__models=["../../x"])),
    "facts with a path as view": ("facts.json", facts(settings__data__views=["../../x", "a"])),
    "facts without settings": ("facts.json", facts(settings=None)),
    "facts with texts as counts": ("facts.json", facts(counts={"standard": {"identities": "many"}})),
    "outcomes empty": ("identity.parquet", bytes_of("rows/identity.parquet", b"")),
    "outcomes cut": ("identity.parquet", cut("rows/identity.parquet")),
    "outcomes text": ("identity.parquet", bytes_of("rows/identity.parquet", b"model,nc\nours,3\n")),
    "outcomes without model": ("identity.parquet", column("identity.parquet", "model", None)),
    "outcomes without rank": ("identity.parquet", column("identity.parquet", "rank", None)),
    "outcomes with texts as ranks": ("identity.parquet", column("identity.parquet", "rank", "first")),
    "outcomes of a path": ("identity.parquet", column("identity.parquet", "model", "../../x")),
    "outcomes of a number": ("identity.parquet", column("identity.parquet", "model", 3)),
    "few-shot cut": ("fewshot.parquet", cut("rows/fewshot.parquet")),
    "few-shot of a path": ("fewshot.parquet", column("fewshot.parquet", "model", "../../x")),
    "few-shot with texts": ("fewshot.parquet", column("fewshot.parquet", "right", "yes")),
}
REPORT: dict[str, tuple[str, Callable[[Path], object]]] = {
    "all models as one": ("identity.parquet", one_group),
    "few-shot with texts for numbers": ("fewshot.parquet", column("fewshot.parquet", "train_accuracy", "all")),
    "nothing of the random split": ("identity.parquet", column("identity.parquet", "split", "grouped")),
    "models without names": ("models.csv", column("models.csv", "model", None)),
    "models of binary": ("models.csv", bytes_of("rows/models.csv", bytes(range(256)))),
    "models empty": ("models.csv", bytes_of("rows/models.csv", b"")),
    "sizes in words": ("models.csv", column("models.csv", "macs", "many")),
    "costs without seeds": ("costs.csv", column("costs.csv", "seed", None)),
    "learning with an open quote": ("learning.csv", bytes_of("rows/learning.csv", b'model,"seed\n')),
    "sample empty": ("samples/ours.png", bytes_of("rows/samples/ours.png", b"")),
    "sample cut": ("samples/ours.png", cut("rows/samples/ours.png")),
    "sample text": ("samples/ours.png", bytes_of("rows/samples/ours.png", b"%!PS-Adobe")),
}
TABLES: dict[str, bytes] = {
    "empty": b"",
    "header alone without columns": b"a,b\n",
    "binary": bytes(range(256)),
    "nan as seeds": b"model,split,nc,n_seeds,top1,top1_ci_low,top1_ci_high\nours,random,5,nan,0.1,0,1\n",
    "infinite seeds": b"model,split,nc,n_seeds,top1,top1_ci_low,top1_ci_high\nours,random,5,inf,0.1,0,1\n",
    "infinite classes": b"model,split,nc,n_seeds,top1,top1_ci_low,top1_ci_high\nours,random,inf,3,0.1,0,1\n",
    "words as rates": b"model,split,nc,n_seeds,top1,top1_ci_low,top1_ci_high\nours,random,5,3,high,0,1\n",
    "row twice": b"model,split,nc,n_seeds,top1,top1_ci_low,top1_ci_high\n" + b"ours,random,5,3,0.1,0,1\n" * 2,
    "open quote": b'model,split,nc,n_seeds,top1,top1_ci_low,top1_ci_high\n"ours,random,5,3,0.1,0,1\n',
    "utf-16": "model,split\n".encode("utf-16"),
    "column twice": b"model,model,split,nc\nours,ours,random,5\n",
}


@pytest.mark.parametrize("case", [*ROWS, *REPORT])
def test_no_report_is_made_of_wrong_rows(results: Path, case: str) -> None:
    file, spoil = {**ROWS, **REPORT}[case]
    spoil(results)
    before = sorted(results.rglob("*"))
    ended = judge.command(results.parent, "report", "results")
    judge.refused(ended, f"results/rows/{file}")
    assert sorted(results.rglob("*")) == before


@pytest.mark.parametrize("case", [case for case in ROWS if case.startswith(("outcomes", "few"))])
def test_wrong_outcomes_are_not_compared(results: Path, case: str) -> None:
    file, spoil = ROWS[case]
    spoil(results)
    ended = judge.command(results.parent, "compare", str(STORED), "results")
    judge.refused(ended, f"results/rows/{file}")


@pytest.mark.parametrize("case", TABLES)
def test_wrong_tables_are_not_compared(place: Path, case: str) -> None:
    (place / "identity.csv").write_bytes(TABLES[case])
    judge.refused(judge.command(place, "compare", str(STORED / "identity.csv"), "identity.csv"), "identity.csv")
