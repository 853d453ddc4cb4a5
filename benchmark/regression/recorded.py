"""What results have recorded: the rates of each model in each measurement, from stored outcomes or from tables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pandas as pd
from scipy import stats

from benchmark.evaluation.statistics import TAILS, Totals, means_and_intervals
from benchmark.results.rows import DIGITS

IDENTITY, FEWSHOT = "identity", "fewshot"  # names of the tables


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
