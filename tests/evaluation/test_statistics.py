"""Means and intervals against scipy and against simulations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.evaluation.statistics import BETWEEN_SEEDS, WITHIN_MODEL, covers, mean_and_interval


def interval(values: list[float], identities: list[str], seeds: list[int]) -> tuple[float, float, float]:
    return mean_and_interval(pd.Series(values, dtype=float), pd.Series(identities), pd.Series(seeds))


@pytest.mark.parametrize("count", [3, 5, 10])
def test_three_seeds_or_more_give_the_t_interval(count: int) -> None:
    random = np.random.default_rng(count)
    seeds = random.permutation(np.repeat(np.arange(count), 40))
    values = (random.random(len(seeds)) < 0.3 + 0.05 * seeds).astype(float)
    means = np.array([values[seeds == n].mean() for n in range(count)])
    half = stats.t.ppf(0.975, count - 1) * means.std(ddof=1) / np.sqrt(count)
    found = interval(list(values), ["x"] * len(values), list(seeds))
    expected = (means.mean(), max(0, means.mean() - half), min(1, means.mean() + half))
    assert found == pytest.approx(expected)


def test_seeds_of_unequal_size_count_alike() -> None:
    mean, low, high = interval([1, 1, 1, 1, 0, 1], ["a"] * 6, [0, 0, 0, 0, 1, 2])
    assert mean == pytest.approx(2 / 3)
    assert (low, high) == (0.0, 1.0)  # cut off at the ends of the scale


def test_no_variation_between_seeds() -> None:
    assert interval([1, 0, 1, 0, 0, 1], list("abcdef"), [0, 0, 1, 1, 2, 2]) == (0.5, 0.5, 0.5)


def outcomes(identities: int, per_identity: int = 20) -> tuple[pd.Series, pd.Series, pd.Series]:
    random = np.random.default_rng(0)
    names = np.repeat([f"i{n}" for n in range(identities)], per_identity)
    skill = np.repeat(random.random(identities), per_identity)
    values = (random.random(len(names)) < skill).astype(float)
    return pd.Series(values), pd.Series(names), pd.Series(np.zeros(len(names), int))


def test_one_seed_gives_a_bootstrap_that_shrinks_with_more_identities() -> None:
    widths = []
    for identities in (10, 40, 160):
        values, names, seeds = outcomes(identities)
        mean, low, high = mean_and_interval(values, names, seeds)
        assert mean == pytest.approx(values.mean())
        assert 0 <= low < mean < high <= 1
        widths.append(high - low)
    assert widths[0] > 1.5 * widths[1] > 2 * widths[2]


def test_the_bootstrap_keeps_an_identity_together() -> None:
    values, names, seeds = outcomes(40)
    _, low, high = mean_and_interval(values, names, seeds)
    per_identity = values.groupby(names).mean()
    expected = 2 * 1.96 * per_identity.std() / np.sqrt(40)  # equal sizes: the mean of 40 independent numbers
    assert high - low == pytest.approx(expected, rel=0.15)


def test_two_seeds_are_too_few_for_a_t_interval() -> None:
    values, names, _ = outcomes(40)
    seeds = pd.Series(np.arange(len(values)) % 2)
    mean, low, high = mean_and_interval(values, names, seeds)
    assert low < mean < high
    assert high - low < 0.5  # a t interval over two seeds would be wider
    assert (covers(1), covers(2), covers(3)) == (WITHIN_MODEL, WITHIN_MODEL, BETWEEN_SEEDS)


def test_the_bootstrap_repeats() -> None:
    assert mean_and_interval(*outcomes(20)) == mean_and_interval(*outcomes(20))


@pytest.mark.parametrize("seeds", [1, 4])
def test_a_rate_that_is_no_number_stays_none(seeds: int) -> None:
    found = interval([np.nan] * 8, ["a", "b"] * 4, [n % seeds for n in range(8)])
    assert all(np.isnan(value) for value in found)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_alike_with_one_seed(value: float) -> None:
    assert interval([value] * 6, list("aabbcc"), [0] * 6) == (value, value, value)


def test_the_t_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    identity, seeds = pd.Series(["x"] * 5), pd.Series(range(5))
    hits = 0
    for rates in random.normal(0.5, 0.08, size=(1000, 5)):
        _, low, high = mean_and_interval(pd.Series(rates), identity, seeds)
        hits += low <= 0.5 <= high
    assert 930 <= hits <= 970  # three standard errors around 950
