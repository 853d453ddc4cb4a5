"""Reading what results have recorded: a whole folder, or one table or Parquet file of it."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow.parquet import ParquetFile

from benchmark.errors import BenchmarkError
from benchmark.evaluation.statistics import totals
from benchmark.regression.recorded import FEWSHOT, IDENTITY, Key, Result, Results, Stored, Tabled
from benchmark.results.rates import ACCURACY, ALL_RATES, all_rates
from benchmark.results.rows import FOLDER

KINDS = (IDENTITY, FEWSHOT)
RATES = {IDENTITY: ALL_RATES, FEWSHOT: (ACCURACY,)}
KEYS = {IDENTITY: ("split", "nc"), FEWSHOT: ("way", "shot")}  # columns of the tables


def read(path: Path) -> Results:
    """Return what a results folder, or one of its files, has recorded.

    Args:
        path: a folder with `rows/`, `identity.csv` or `fewshot.csv`, whose stored outcomes go before its tables; or a
            file: one of these tables under any name, or the Parquet file of either in `rows/`.

    Raises:
        BenchmarkError: there are no results, or they are damaged.
    """
    return _read(_files(path))


def tables(path: Path) -> Results:
    """Return what the tables of a results folder say that has stored outcomes of the same; nothing for a file.

    Raises:
        BenchmarkError: they are damaged.
    """
    return _read(table for outcomes, table in _choices(path) if outcomes.is_file() and table.is_file())


def _read(files: Iterable[Path]) -> Results:
    found: dict[Key, Result] = {}
    for file in files:
        with explained(file):
            for key, result in _outcomes(file) if file.suffix == ".parquet" else _table(file):
                if key in found:
                    raise BenchmarkError(f"{file} has {key.model} twice for {key.measurement}, and must have it once")
                found[key] = result
    return found


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BenchmarkError(f"{path} does not exist; name a folder of results, or a table or Parquet file of one")
    files = [next(filter(Path.is_file, choice), None) for choice in _choices(path)]
    if not any(files):
        raise BenchmarkError(
            f"{path} is no folder of results: it has neither {FOLDER}/ nor identity.csv or fewshot.csv"
        )
    return [file for file in files if file]


def _choices(folder: Path) -> list[tuple[Path, Path]]:
    """Return for each kind the file of its outcomes and that of its table."""
    return [(folder / FOLDER / f"{kind}.parquet", folder / f"{kind}.csv") for kind in KINDS]


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
    table = pd.read_csv(file)
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
