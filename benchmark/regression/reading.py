"""Reading what results have recorded: a whole folder, or one table or Parquet file of it."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow.parquet import ParquetFile

from benchmark.errors import BenchmarkError
from benchmark.evaluation.statistics import totals
from benchmark.regression.recorded import FEWSHOT, IDENTITY, Key, Result, Results, Stored, Tabled
from benchmark.results.rates import ACCURACY, ALL_RATES, all_rates
from benchmark.results.rows import FOLDER

RATES = {IDENTITY: ALL_RATES, FEWSHOT: (ACCURACY,)}
KEYS = {IDENTITY: ("split", "nc"), FEWSHOT: ("way", "shot")}  # columns of the tables
TABLES = {IDENTITY: ("identity.csv", "identity_diagnostics.csv"), FEWSHOT: ("fewshot.csv",)}


def read(path: Path) -> Results:
    """Return what a results folder, or one of its files, has recorded.

    Args:
        path: a folder with `rows/` or TABLES, whose stored outcomes go before its tables; or a file: one of these
            tables, under any name, or a Parquet file of `rows/`. The two tables of identity are read together.

    Raises:
        BenchmarkError: there are no results, or they are damaged.
    """
    return _read(_files(path))


def tables(path: Path) -> Results:
    """Return what the tables of a results folder say that has stored outcomes of the same; nothing for a file.

    Raises:
        BenchmarkError: they are damaged.
    """
    return _read(table for kind in TABLES if _stored(path, kind).is_file() for table in _tables(path, kind))


def _read(files: Iterable[Path]) -> Results:
    """Return what the files have; the rates of one measurement can be in two tables."""
    found: dict[Key, Result] = {}
    for file in files:
        own: dict[Key, Result] = {}
        with explained(file):
            for key, result in _outcomes(file) if file.suffix == ".parquet" else _table(file):
                if key in own:
                    raise BenchmarkError(f"{file} has {key.model} twice for {key.measurement}, and must have it once")
                own[key] = result
        for key, result in own.items():
            before = found.get(key)
            if isinstance(before, Tabled) and isinstance(result, Tabled):
                result = replace(before, intervals=pd.concat([before.intervals, result.intervals]))
            found[key] = result
    return found


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return _tables(path.parent, IDENTITY) if path.name in TABLES[IDENTITY] else [path]
    if not path.is_dir():
        raise BenchmarkError(f"{path} does not exist; name a folder of results, or a table or Parquet file of one")
    choices = ([_stored(path, kind)] if _stored(path, kind).is_file() else _tables(path, kind) for kind in TABLES)
    files = [file for choice in choices for file in choice]
    if not files:
        raise BenchmarkError(
            f"{path} is no folder of results: it has neither {FOLDER}/ nor identity.csv or fewshot.csv"
        )
    return files


def _stored(folder: Path, kind: str) -> Path:
    return folder / FOLDER / f"{kind}.parquet"


def _tables(folder: Path, kind: str) -> list[Path]:
    return [folder / name for name in TABLES[kind] if (folder / name).is_file()]


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Turn what a reader of `file` raises into one sentence."""
    try:
        yield
    except KeyError as error:
        raise BenchmarkError(f"{file} holds no results of identity or few-shot: there is no column {error}") from error
    except (OSError, ValueError, TypeError, OverflowError) as error:  # pandas' and pyarrow's errors are ValueErrors
        raise BenchmarkError(f"{file} is damaged or holds no results ({type(error).__name__})") from error


def _table(file: Path) -> Iterator[tuple[Key, Tabled]]:
    table = pd.read_csv(file).rename(columns=lambda name: name.replace("copied_", "copy_rate_"))  # an earlier name
    kind = FEWSHOT if "shot" in table else IDENTITY
    rates = [rate for rate in RATES[kind] if rate in table] or list(RATES[kind][:1])
    for row in table.to_dict("records"):
        of, number = (row[name] for name in KEYS[kind])
        yield Key(kind, str(of), int(number), row["model"]), Tabled(_intervals(row, rates), int(row["n_seeds"]))


def _intervals(row: Mapping[Hashable, Any], rates: list[str]) -> pd.DataFrame:
    ends = {"mean": "", "low": "_ci_low", "high": "_ci_high"}
    values = {end: [row[f"{rate}{suffix}"] for rate in rates] for end, suffix in ends.items()}
    return pd.DataFrame(values, index=rates, dtype=float)


def _outcomes(file: Path) -> Iterator[tuple[Key, Stored]]:
    """Read one row group after the other: each holds one measurement."""
    with ParquetFile(file) as opened:
        for number in range(opened.num_row_groups):
            rows = opened.read_row_group(number).to_pandas()
            yield from _fewshot(rows) if "shots" in rows else _identity(rows)


def _identity(rows: pd.DataFrame) -> Iterator[tuple[Key, Stored]]:
    for key, own in rows.groupby(["model", "split", "nc"]):
        model, split, nc = map(str, key)
        yield Key(IDENTITY, split, int(nc), model), Stored(totals(all_rates(own, int(nc)), own))


def _fewshot(rows: pd.DataFrame) -> Iterator[tuple[Key, Stored]]:
    for key, own in rows.groupby(["model", "shots"]):
        model, shots = map(str, key)
        ways = own.groupby("episode")["identity"].nunique().max()
        right = pd.DataFrame({ACCURACY: own["right"].astype(float)})
        yield Key(FEWSHOT, str(ways), int(shots), model), Stored(totals(right, own))
