"""Paired differences against scipy, statsmodels and worked examples."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.evaluation import comparison
from benchmark.evaluation.comparison import compare, holm, references
from benchmark.evaluation.statistics import Totals, totals
from models.registry import BASELINES, BUILT_IN
from tests.evaluation.intervals import mean_and_interval

IDENTITIES, IMAGES, VIEWS = 8, 4, 5


def measured(rates: list[float], seed: int = 0) -> Totals:
    """A model with one training seed for each rate, and an outcome for each image and view."""
    random = np.random.default_rng(seed)
    rows = [
        (number, f"i{identity}", f"i{identity}_{image}", float(random.random() < rate))
        for number, rate in enumerate(rates)
        for identity in range(IDENTITIES)
        for image in range(IMAGES)
        for _ in range(VIEWS)
    ]
    table = pd.DataFrame(rows, columns=["seed", "identity", "image", "top1"])
    return totals(table[["top1"]], table)


def exactly(means: list[float]) -> Totals:
    """A model whose mean for each seed is given."""
    index = pd.MultiIndex.from_tuples(
        [(n, "a", "a.png") for n in range(len(means))], names=["seed", "identity", "image"]
    )
    return Totals(pd.DataFrame({"top1": means}, index), pd.DataFrame({"top1": 1}, index))


def test_three_seeds_give_a_paired_t_test() -> None:
    models = {"a": measured([0.5, 0.6, 0.7], 1), "vanilla": measured([0.4, 0.3, 0.6], 2)}
    (row,) = compare(models, {"vanilla": "vanilla"}).to_dict("records")
    means = {name: each.seed_means["top1"] for name, each in models.items()}
    expected = stats.ttest_1samp(means["a"] - means["vanilla"], 0)
    assert row["difference"] == pytest.approx((means["a"] - means["vanilla"]).mean())
    assert row["p"] == row["p_holm"] == pytest.approx(expected.pvalue)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert row["n_seeds"] == 3


def test_fewer_seeds_give_the_bootstrap_of_the_paired_differences_and_no_verdict() -> None:
    one, other = measured([0.7], 1), measured([0.4, 0.5, 0.5], 2)
    (row,) = compare({"a": one, "vanilla": other}, {"vanilla": "vanilla"}).to_dict("records")
    first = other.sums.index.get_level_values("seed") == 0
    apart = (one.sums - other.sums[first]).reset_index()  # of an image, each of whose counts is VIEWS
    _, low, high = mean_and_interval(apart["top1"] / VIEWS, apart["identity"], apart["image"], apart["seed"])
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert low < row["difference"] < high
    assert row["difference"] == pytest.approx(apart["top1"].sum() / one.counts["top1"].sum())
    assert np.isnan(row["p"])
    assert np.isnan(row["p_holm"])
    assert (row["n_seeds"], row["verdict"]) == (1, "needs 3 seeds, has 1")


def test_pairing_removes_what_both_models_share() -> None:
    hard = measured([0.5], 3)
    almost = Totals(hard.sums.copy(), hard.counts)
    almost.sums.iloc[::4] = (almost.sums.iloc[::4] + 1).clip(upper=VIEWS)
    (row,) = compare({"a": almost, "vanilla": hard}, {"vanilla": "vanilla"}).to_dict("records")
    assert 0 < row["ci_low"] < row["ci_high"] < 0.1  # the interval of either alone is 0.2 wide


def test_holm_by_hand() -> None:
    found = holm(pd.Series([0.01, np.nan, 0.04, 0.03], index=list("abcd")))
    assert found.tolist() == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)  # 3 x 0.01, 2 x 0.03, then no less
    assert holm(pd.Series([np.nan])).isna().all()


def test_the_family_is_all_rows() -> None:
    names = ("dr_gan", "ours", "unet", "vanilla")
    models = {name: measured([0.3 + 0.1 * n, 0.4, 0.5], n) for n, name in enumerate(names)}
    table = compare(models, {"vanilla": "vanilla", "best baseline": "unet"})
    assert table[["model", "other"]].to_numpy().tolist() == [
        ["dr_gan", "vanilla"],
        ["ours", "vanilla"],
        ["unet", "vanilla"],
        ["dr_gan", "unet"],
        ["ours", "unet"],  # vanilla and unet stand together once
    ]
    ordered = np.sort(table["p"])
    expected = np.minimum(1, np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))
    assert np.sort(table["p_holm"]) == pytest.approx(expected)


def test_a_reference_that_is_not_measured_is_left_out() -> None:
    table = compare({"a": measured([0.5]), "b": measured([0.4])}, {"vanilla": "vanilla"})
    assert table.empty
    assert tuple(table.columns) == comparison.COLUMNS


def test_the_best_baseline_is_the_highest_of_the_papers() -> None:
    means = {"ours": [0.9], "unet": [0.3, 0.5], "cr_gan": [0.1, 0.8], "dr_gan": [0.4]}
    found = references({name: exactly(values) for name, values in means.items()})
    assert found == {"vanilla": "vanilla", "best baseline": "cr_gan"}
    assert references({"ours": exactly([0.9])}) == {"vanilla": "vanilla"}
    assert set(BASELINES) <= set(BUILT_IN)


@pytest.mark.parametrize(
    ("one", "other", "p", "words"),
    [
        ([0.3, 0.5, 0.4], [0.3, 0.5, 0.4], 1.0, "no difference shown"),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], 1.0, "no difference shown"),
        ([0.4, 0.6, 0.5], [0.3, 0.5, 0.4], np.nan, "the seeds do not vary"),
        ([0.9, 0.9, 0.9], [0.1, 0.1, 0.1], np.nan, "the seeds do not vary"),
        ([0.40, 0.62, 0.51], [0.3, 0.5, 0.4], 1 - (363 / 365) ** 0.5, "higher"),
        ([0.3, 0.5, 0.4], [0.40, 0.62, 0.51], 1 - (363 / 365) ** 0.5, "lower"),
        ([0.3, 0.9, 0.4], [0.3, 0.5, 0.4], 1 - 3**-0.5, "no difference shown"),
    ],
)
def test_verdicts(one: list[float], other: list[float], p: float, words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (row,) = compare({"a": exactly(one), "b": exactly(other)}, {"b": "b"}).to_dict("records")
    assert row["p"] == pytest.approx(p, rel=1e-4, nan_ok=True)
    assert row["verdict"] == words


def test_no_common_seed_is_said() -> None:
    one = measured([0.5])
    later = Totals(*(each.rename(index={0: 7}, level="seed") for each in (one.sums, one.counts)))
    (row,) = compare({"a": one, "b": later}, {"b": "b"}).to_dict("records")
    assert np.isnan(row["difference"])
    assert row["verdict"] == "needs 3 seeds, has 0"


def test_other_images_cannot_be_compared() -> None:
    one = measured([0.5])
    fewer = Totals(one.sums.iloc[1:], one.counts.iloc[1:])
    with pytest.raises(ValueError, match="not measured on the same images"):
        compare({"a": one, "b": fewer}, {"b": "b"})
