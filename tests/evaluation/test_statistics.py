"""Means and intervals against scipy, against a slow bootstrap and against simulations."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.evaluation import statistics
from benchmark.evaluation.statistics import (
    BETWEEN_SEEDS,
    RESAMPLES,
    WITHIN_MODEL,
    covers,
    means_and_intervals,
    totals,
)
from tests.evaluation.intervals import mean_and_interval

Columns = tuple[pd.Series, pd.Series, pd.Series, pd.Series]


def interval(values: list[float], identities: list[str], seeds: list[int]) -> tuple[float, float, float]:
    """Each outcome has an image of its own."""
    images = pd.Series([f"{n}.png" for n in range(len(values))])
    return mean_and_interval(pd.Series(values, dtype=float), pd.Series(identities), images, pd.Series(seeds))


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


def outcomes(identities: int, images: int = 5, repeats: int = 4, spread: float = 0.2, seed: int = 0) -> Columns:
    """Two-level data: a skill of each class, around it one of each image, and repeated outcomes of that."""
    random = np.random.default_rng(seed)
    skill = random.normal(0.5, spread, (identities, 1, 1)) + random.normal(0, spread, (identities, images, 1))
    values = (random.random((identities, images, repeats)) < skill).astype(float).ravel()
    names = np.repeat([f"i{n:03}" for n in range(identities)], images * repeats)
    files = np.repeat([f"{n:05}.png" for n in range(identities * images)], repeats)
    return pd.Series(values), pd.Series(names), pd.Series(files), pd.Series(np.zeros(len(values), int))


def test_one_seed_gives_a_bootstrap_that_shrinks_with_more_identities() -> None:
    widths = []
    for identities in (10, 40, 160):
        columns = outcomes(identities)
        mean, low, high = mean_and_interval(*columns)
        assert mean == pytest.approx(columns[0].mean())
        assert 0 <= low < mean < high <= 1
        widths.append(high - low)
    assert widths[0] > 1.5 * widths[1] > 2 * widths[2]


def slow_resample(classes: list[list[list[float]]], random: np.random.Generator) -> float:
    """Return the mean of one resample, drawn one class and one image at a time."""
    drawn: list[float] = []
    for name in random.integers(len(classes), size=len(classes)):
        own = classes[name]
        for file in random.integers(len(own), size=len(own)):
            drawn += own[file]
    return float(np.mean(drawn))


def test_the_bootstrap_draws_as_nested_loops_do() -> None:
    """Classes and images of unequal size."""
    columns = [column.drop(range(5)).drop([17, 42]) for column in outcomes(6, images=3, repeats=5)]
    values, names, files, _ = columns
    by_class = values.groupby([names, files]).agg(list).groupby(level=0).agg(list)
    assert sorted(len(own) for own in by_class) == [2, 3, 3, 3, 3, 3]
    random = np.random.default_rng(3)
    slow = np.array([slow_resample(list(by_class), random) for _ in range(4000)])
    mean, low, high = mean_and_interval(*columns)
    assert mean == pytest.approx(values.mean())
    error = 2.7 * slow.std() * np.sqrt(1 / len(slow) + 1 / RESAMPLES)  # of the difference of two such quantiles
    assert np.quantile(slow, 0.025) == pytest.approx(low, abs=3 * error)
    assert np.quantile(slow, 0.975) == pytest.approx(high, abs=3 * error)


def test_the_weights_are_drawn_in_two_levels() -> None:
    sizes = (4, 1, 9)
    drawn = statistics.resamples(sizes)
    per_class = np.stack([part.sum(1) for part in np.split(drawn, np.cumsum(sizes)[:-1], axis=1)], 1) / sizes
    assert drawn.shape == (RESAMPLES, sum(sizes))
    assert (per_class == per_class.round()).all()  # a class is drawn a whole number of times,
    assert (per_class.sum(1) == len(sizes)).all()  # in all as often as there are classes
    assert drawn.mean(0) == pytest.approx(np.ones(sum(sizes)), abs=0.15)
    within = drawn[per_class[:, 2] == 2, 5:]  # 18 draws of 9 images
    assert within.mean(0) == pytest.approx(np.full(9, 2), abs=0.25)
    assert within.var() == pytest.approx(18 / 9 * 8 / 9, rel=0.1)


def test_an_image_and_its_repetitions_are_kept_together() -> None:
    values, names, files, seeds = outcomes(1, images=12, repeats=10)
    four_times = [pd.concat([column] * 4, ignore_index=True) for column in (values, names, files, seeds)]
    _, low, high = found = mean_and_interval(values, names, files, seeds)
    assert mean_and_interval(*four_times) == pytest.approx(found)
    assert high - low == pytest.approx(2 * 1.96 * values.groupby(files).mean().std(ddof=0) / 12**0.5, rel=0.1)
    apart = files + np.arange(len(files)).astype(str)
    _, low, high = mean_and_interval(values, names, apart, seeds)
    assert high - low == pytest.approx(2 * 1.96 * values.std(ddof=0) / 120**0.5, rel=0.1)


def test_two_seeds_are_too_few_for_a_t_interval_and_share_their_images() -> None:
    columns = outcomes(40)
    twice = [pd.concat([column] * 2, ignore_index=True) for column in columns[:3]]
    seeds = pd.Series(np.repeat([0, 1], len(columns[0])))
    assert mean_and_interval(*twice, seeds) == pytest.approx(mean_and_interval(*columns))
    opposite = pd.concat([columns[0], 1 - columns[0]], ignore_index=True)
    assert mean_and_interval(opposite, *twice[1:], seeds) == pytest.approx((0.5, 0.5, 0.5))
    assert (covers(1), covers(2), covers(3)) == (WITHIN_MODEL, WITHIN_MODEL, BETWEEN_SEEDS)


def test_the_bootstrap_repeats_and_resamples_all_models_alike() -> None:
    values, *rest = outcomes(20)
    first = mean_and_interval(values, *rest)
    assert mean_and_interval(*outcomes(30)) != first
    assert mean_and_interval(values, *rest) == first
    _, low, high = mean_and_interval(1 - values, *rest)
    assert (1 - high, 1 - low) == pytest.approx(first[1:])


def test_many_rates_at_once_are_each_as_alone() -> None:
    values, names, files, seeds = outcomes(20)
    rates = pd.DataFrame({"b": values, "a": values.where(np.arange(len(values)) % 3 > 0), "none": np.nan})
    clusters = pd.DataFrame({"identity": names, "image": files, "seed": seeds})
    found = means_and_intervals(totals(rates, clusters))
    assert list(found.index) == ["b", "a", "none"]
    for rate, column in rates.items():
        assert tuple(found.loc[rate]) == pytest.approx(mean_and_interval(column, names, files, seeds), nan_ok=True)


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_what_a_rate_does_not_apply_to_is_not_counted(seeds: int) -> None:
    number = np.arange(48)
    values = np.where(number % 2 == 0, (number // 2) % 3 == 0, np.nan)
    identities, which = [f"i{n % 6}" for n in number], list(number // 2 % seeds)
    found = interval(list(values), identities, which)
    kept = number % 2 == 0
    without = interval(list(values[kept]), list(np.array(identities)[kept]), list(np.array(which)[kept]))
    assert found[0] == pytest.approx(without[0])
    assert all(0 <= value <= 1 for value in found)


@pytest.mark.parametrize("seeds", [1, 4])
@pytest.mark.filterwarnings("error")
def test_a_rate_that_is_no_number_stays_none(seeds: int) -> None:
    found = interval([np.nan] * 8, ["a", "b"] * 4, [n % seeds for n in range(8)])
    assert all(np.isnan(value) for value in found)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_alike_with_one_seed(value: float) -> None:
    assert interval([value] * 6, list("aabbcc"), [0] * 6) == (value, value, value)


def covered(rates: pd.DataFrame, clusters: pd.DataFrame) -> float:
    """Return the share of intervals that hold 0.5."""
    found = means_and_intervals(totals(rates, clusters))
    return float(((found["low"] <= 0.5) & (found["high"] >= 0.5)).mean())


def test_the_t_interval_covers_the_truth_as_often_as_it_says() -> None:
    rates = pd.DataFrame(np.random.default_rng(1).normal(0.5, 0.08, size=(5, 1000)))
    clusters = pd.DataFrame({"seed": range(5), "identity": "x", "image": "x.png"})
    assert 0.930 <= covered(rates, clusters) <= 0.970  # three standard errors around 0.95


@pytest.mark.parametrize(("spread", "least", "most"), [(0.2, 0.93, 0.98), (0.05, 0.96, 1.0)])
def test_the_bootstrap_covers_the_truth_at_least_about_as_often_as_it_says(
    spread: float, least: float, most: float, say: Callable[[str], None]
) -> None:
    """Where classes and images differ little, chance within a class is most of the variation, and it counts twice."""
    repetitions = 1000
    drawn = [outcomes(40, images=5, repeats=5, spread=spread, seed=seed) for seed in range(repetitions)]
    _, names, files, seeds = drawn[0]
    rates = pd.DataFrame({n: columns[0] for n, columns in enumerate(drawn)})
    share = covered(rates, pd.DataFrame({"identity": names, "image": files, "seed": seeds}))
    say(f"bootstrap over 40 classes and 5 images, both with sd {spread}: covers {share:.1%} (nominal 95 %)")
    low, high = stats.binom.ppf([0.001, 0.999], repetitions, [least, most]) / repetitions
    assert low <= share <= high
