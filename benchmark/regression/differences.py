"""Differences of each rate between old and new results."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from benchmark.evaluation.statistics import SEEDS_FOR_T, Totals, bootstrap_interval, t_interval
from benchmark.regression.reading import Result, Results, Tabled

ROW = ["measurement", "model", "metric"]
COLUMNS = [*ROW, "old", "new", "difference", "ci_low", "ci_high", "old_seeds", "new_seeds", "basis"]
PAIRED, TABLES, NO_SEED, OTHER = "paired", "tables alone", "no common seed", "other images or draws"


def differences(old: Results, new: Results) -> pd.DataFrame:
    """Return one row for each rate of each measurement that either has.

    Where both have outcomes of the same images and draws, the difference is paired and over the training seeds that
    both have: from three of them on its 95 % interval is a t interval over the seeds' differences, with fewer the
    paired bootstrap over classes and images. Otherwise it is unpaired, and its interval comes from those of the two.

    Returns:
        The COLUMNS. `difference` is new - old, with its interval. `old_seeds` and `new_seeds` count the training seeds
        in it; they are 0 where that side has no such row. `basis` is PAIRED, or why it is not.
    """
    keys = sorted(old.keys() | new.keys())  # measurements of the same images one after the other
    parts = [
        part.assign(measurement=key.measurement, model=key.model)
        for key in keys
        for part in _parts(old.get(key), new.get(key))
    ]
    table = pd.concat(parts).rename_axis("metric").reset_index().reindex(columns=COLUMNS)
    return table.fillna({"old_seeds": 0, "new_seeds": 0}).astype({"old_seeds": int, "new_seeds": int})


def _parts(old: Result | None, new: Result | None) -> Iterator[pd.DataFrame]:
    """Yield the rates that only one has, then those of both."""
    rates = {side: list(each.means.index) if each else [] for side, each in (("old", old), ("new", new))}
    shared = [rate for rate in rates["old"] if rate in rates["new"]]
    for side, each in (("old", old), ("new", new)):
        own = [rate for rate in rates[side] if rate not in shared]
        if each and own:
            yield pd.DataFrame({side: each.means[own], f"{side}_seeds": each.seeds})
    if old and new and shared:
        yield _compared(old, new, shared)


def _compared(old: Result, new: Result, rates: Sequence[str]) -> pd.DataFrame:
    if isinstance(old, Tabled) or isinstance(new, Tabled):
        return _unpaired(old, new, rates).assign(basis=TABLES)
    common = old.totals.seed_means.index.intersection(new.totals.seed_means.index)
    if common.empty:
        return _unpaired(old, new, rates).assign(basis=NO_SEED)
    one, other = old.totals.of_seeds(common), new.totals.of_seeds(common)
    same_images = one.counts.index.equals(other.counts.index)
    # as many outcomes of each image; a rate that applies to none of them fits any
    if not same_images or not all(
        (one.counts == other.counts).all() | (one.counts == 0).all() | (other.counts == 0).all()
    ):
        return _unpaired(old, new, rates).assign(basis=OTHER)
    counts = one.counts.clip(upper=other.counts)
    difference = Totals((other.sums - one.sums).where(counts > 0, 0), counts)
    seeds = difference.seed_means
    interval = t_interval(seeds) if len(seeds) >= SEEDS_FOR_T else bootstrap_interval(difference)
    means = {"old": one.seed_means.mean(), "new": other.seed_means.mean(), "difference": seeds.mean()}
    ends = {f"ci_{end}": value for end, value in interval.items()}
    found = pd.DataFrame({**means, **ends}, one.sums.columns)
    return found.assign(old_seeds=len(seeds), new_seeds=len(seeds), basis=PAIRED)


def _unpaired(old: Result, new: Result, rates: Sequence[str]) -> pd.DataFrame:
    """Compare two means by their intervals, whose sides add up as squares.

    The method is that of Zou and Donner, "Construction of confidence limits about effect measures" (2008).
    """
    one, other = old.intervals.loc[list(rates)], new.intervals.loc[list(rates)]
    difference = other["mean"] - one["mean"]
    below = np.hypot(other["mean"] - other["low"], one["high"] - one["mean"])
    above = np.hypot(other["high"] - other["mean"], one["mean"] - one["low"])
    ends = {"difference": difference, "ci_low": difference - below, "ci_high": difference + above}
    found = pd.DataFrame({"old": one["mean"], "new": other["mean"], **ends})
    return found.assign(old_seeds=old.seeds, new_seeds=new.seeds)
