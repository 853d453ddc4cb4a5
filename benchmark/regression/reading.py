"""Reading of results: the rates of each model in each measurement, from stored outcomes or from tables."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pyarrow.parquet import ParquetFile
from scipy import stats

from benchmark.errors import BenchmarkError
from benchmark.evaluation.statistics import TAILS, Totals, means_and_intervals, totals
from benchmark.results.rates import ACCURACY, ALL_RATES, all_rates, view_weights
from benchmark.results.rows import DIGITS, FOLDER

IDENTITY, FEWSHOT = "identity", "fewshot"  # names of the tables
RATES = {IDENTITY: ALL_RATES, FEWSHOT: (ACCURACY,)}
KEYS = {IDENTITY: ("split", "nc"), FEWSHOT: ("way", "shot")}  # columns of the tables
TABLES = {IDENTITY: ("identity.csv", "identity_diagnostics.csv"), FEWSHOT: ("fewshot.csv",)}


class Key(NamedTuple):
    """Names one measurement of a model or control.

    Attributes:
        kind: IDENTITY or FEWSHOT.
        of: the split, or the number of classes.
        number: N_c, or the number of shots.
        model: name of the model or control.
    """

    kind: str
    of: str
    number: int
    model: str

    @property
    def measurement(self) -> str:
        """The measurement in words."""
        return f"{self.of}, N_c {self.number}" if self.kind == IDENTITY else f"{self.of}-way {self.number}-shot"


@dataclass(frozen=True)
class Stored:
    """The rates of one model from its stored outcomes.

    Attributes:
        totals: the outcomes, added up by image.
    """

    totals: Totals

    @property
    def seeds(self) -> int:
        """Number of training seeds."""
        return len(self.totals.seed_means)

    @property
    def means(self) -> pd.Series:
        """The mean of each rate."""
        return self.totals.seed_means.mean()

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """Mean, low and high of each rate (rows), rounded as in the tables."""
        return means_and_intervals(self.totals).map(lambda value: float(f"{value:.{DIGITS}f}"))

    @property
    def spread(self) -> pd.Series:
        """Standard deviation of each rate over the training seeds."""
        return self.totals.seed_means.std()


@dataclass(frozen=True)
class Tabled:
    """The rates of one model from a row of a table.

    Attributes:
        intervals: mean, low and high of each rate (rows).
        seeds: number of training seeds, three or more where the spread is asked for.
    """

    intervals: pd.DataFrame
    seeds: int

    @property
    def means(self) -> pd.Series:
        """The mean of each rate."""
        return self.intervals["mean"]

    @property
    def spread(self) -> pd.Series:
        """Standard deviation of each rate over the training seeds, recovered from its t interval.

        The interval is symmetric until it is cut off at 0 and 1, so its longer side is the uncut one. Where both are
        cut, this is a lower bound.
        """
        mean, low, high = (self.intervals[name] for name in ("mean", "low", "high"))
        half = (high - mean).clip(lower=mean - low)
        return half / float(stats.t.ppf(TAILS[1], self.seeds - 1)) * math.sqrt(self.seeds)


Result = Stored | Tabled
Results = Mapping[Key, Result]


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
        raise BenchmarkError(
            f"{path} does not exist; name a run, a folder of results, or a table or Parquet file of one"
        )
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
    ends = {"mean": "", "low": "_ci_low", "high": "_ci_high"}
    for row in table.to_dict("records"):
        of, number = (row[name] for name in KEYS[kind])
        values = {end: [row[f"{rate}{suffix}"] for rate in rates] for end, suffix in ends.items()}
        intervals = pd.DataFrame(values, index=rates, dtype=float)
        yield Key(kind, str(of), int(number), row["model"]), Tabled(intervals, int(row["n_seeds"]))


def _outcomes(file: Path) -> Iterator[tuple[Key, Stored]]:
    """Read one row group after the other: each holds one measurement."""
    with ParquetFile(file) as opened:
        for number in range(opened.num_row_groups):
            rows = opened.read_row_group(number).to_pandas()
            if "shots" in rows:
                for (model, shots), own in rows.groupby(["model", "shots"]):
                    ways = own.groupby("episode")["identity"].nunique().max()
                    right = pd.DataFrame({ACCURACY: own["right"].astype(float)})
                    yield Key(FEWSHOT, str(ways), int(shots), str(model)), Stored(totals(right, own))
            else:
                for (model, split, nc), own in rows.groupby(["model", "split", "nc"]):
                    rates = all_rates(own, int(nc))
                    yield Key(IDENTITY, str(split), int(nc), str(model)), Stored(totals(rates, own, view_weights(own)))
