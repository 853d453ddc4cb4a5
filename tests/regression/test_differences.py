"""Differences of rates, paired and unpaired, against an independent computation."""

import numpy as np
import pandas as pd
import pytest

from benchmark.evaluation import comparison
from benchmark.evaluation.statistics import Totals, means_and_intervals
from benchmark.regression.differences import NO_SEED, OTHER, PAIRED, TABLES, differences
from benchmark.regression.reading import IDENTITY, Key, Result, Stored, Tabled
from tests.reporting.made import made_identity

OURS = Key(IDENTITY, "random", 20, "ours")


def stored(*rates: float, first: int = 0) -> Stored:
    """Return outcomes of training seeds from `first` on."""
    outcomes = made_identity("ours", rates, 20)
    return Stored(_renamed(outcomes.totals, first))


def _renamed(totals: Totals, first: int) -> Totals:
    names = {seed: seed + first for seed in range(9)}
    return Totals(*(each.rename(index=names, level="seed") for each in (totals.sums, totals.counts)))


def tabled(mean: float, low: float, high: float, seeds: int = 1) -> Tabled:
    return Tabled(pd.DataFrame({"mean": [mean], "low": [low], "high": [high]}, index=["top1"]), seeds)


def row(old: Result, new: Result, metric: str = "top1") -> pd.Series:
    table = differences({OURS: old}, {OURS: new})
    return table[table["metric"] == metric].iloc[0]


@pytest.mark.parametrize("rates", [([0.5], [0.6]), ([0.5, 0.7], [0.6, 0.6]), ([0.2, 0.3, 0.4], [0.3, 0.5, 0.45])])
def test_the_same_images_are_paired_as_models_are(rates: tuple[list[float], list[float]]) -> None:
    old, new = (stored(*each) for each in rates)
    found = row(old, new)
    expected = comparison.difference(new.totals.of("top1"), old.totals.of("top1"))
    for name in ("difference", "ci_low", "ci_high"):
        assert found[name] == pytest.approx(expected[name])
    assert found["difference"] == pytest.approx(np.mean(rates[1]) - np.mean(rates[0]))
    assert (found["basis"], found["old_seeds"], found["new_seeds"]) == (PAIRED, len(rates[0]), len(rates[0]))


def test_paired_rows_are_over_the_training_seeds_that_both_have() -> None:
    found = row(stored(0.2, 0.3, 0.4, 0.5), stored(0.9, 0.8, first=2))
    assert (found["old"], found["new"]) == pytest.approx((0.45, 0.85))
    assert (found["basis"], found["old_seeds"], found["new_seeds"]) == (PAIRED, 2, 2)


def test_no_common_seed_is_unpaired() -> None:
    found = row(stored(0.2, 0.3, 0.4), stored(0.5, first=7))
    assert (found["basis"], found["old_seeds"], found["new_seeds"]) == (NO_SEED, 3, 1)
    assert found["difference"] == pytest.approx(0.2)


def test_other_images_are_unpaired() -> None:
    old, new = stored(0.5), stored(0.6)
    fewer = Stored(Totals(new.totals.sums.iloc[1:], new.totals.counts.iloc[1:]))
    twice = Stored(Totals(new.totals.sums * 2, new.totals.counts * 2))  # as many images, in other draws
    assert [row(old, each)["basis"] for each in (fewer, twice, new)] == [OTHER, OTHER, PAIRED]
    both = (means_and_intervals(each.totals).loc["top1"] for each in (old, fewer))
    expected = row(*(tabled(each["mean"], each["low"], each["high"]) for each in both))
    found = row(old, fewer)
    for name in ("difference", "ci_low", "ci_high"):
        assert found[name] == pytest.approx(expected[name], abs=2e-6)  # digits of the tables


def test_the_sides_of_two_intervals_add_up_as_squares() -> None:
    found = row(tabled(0.5, 0.46, 0.58), tabled(0.6, 0.57, 0.66, 3))
    assert found["difference"] == pytest.approx(0.1)
    assert found["ci_low"] == pytest.approx(0.1 - (0.03**2 + 0.08**2) ** 0.5)
    assert found["ci_high"] == pytest.approx(0.1 + (0.06**2 + 0.04**2) ** 0.5)
    assert (found["basis"], found["old_seeds"], found["new_seeds"]) == (TABLES, 1, 3)


def test_a_table_says_the_same_as_the_outcomes_it_was_made_from() -> None:
    outcomes = stored(0.5, 0.55, 0.7)
    table = Tabled(outcomes.intervals, 3)
    assert (differences({OURS: table}, {OURS: outcomes})["difference"].dropna() == 0).all()
    pd.testing.assert_series_equal(table.spread, outcomes.spread, check_names=False, atol=1e-6)


@pytest.mark.parametrize("values", [[0.01, 0.0, 0.08], [0.99, 1.0, 0.91]])
def test_the_spread_is_recovered_from_an_interval_that_is_cut_off(values: list[float]) -> None:
    mean, half = np.mean(values), 4.302653 * np.std(values, ddof=1) / 3**0.5  # the t quantile of two degrees of freedom
    table = tabled(float(mean), max(0, mean - half), min(1, mean + half), 3)
    assert not 0 < table.intervals.loc["top1", "low"] < table.intervals.loc["top1", "high"] < 1
    assert table.spread["top1"] == pytest.approx(np.std(values, ddof=1))


def test_a_rate_that_is_a_number_on_one_side_alone_leaves_the_others_paired() -> None:
    old, new = stored(0.5, 0.6, 0.7), stored(0.6, 0.6, 0.6)
    new.totals.sums["top5"], new.totals.counts["top5"] = 0.0, 0
    assert row(old, new)["basis"] == PAIRED
    found = row(old, new, "top5")
    assert found["old"] == pytest.approx(0.6)
    assert np.isnan(found["new"])
    assert np.isnan(found["difference"])


def test_what_one_side_lacks_has_no_seeds_there() -> None:
    other = OURS._replace(model="unet")
    table = differences({OURS: stored(0.5)}, {OURS: tabled(0.6, 0.5, 0.7), other: tabled(0.1, 0.0, 0.2)})
    found = table.set_index(["model", "metric"])[["old_seeds", "new_seeds"]]
    assert found.loc[("ours", "top1")].tolist() == [1, 1]
    assert found.loc[("ours", "joint")].tolist() == [1, 0]
    assert found.loc[("unet", "top1")].tolist() == [0, 1]
    assert len(found) == 12 + 1
