"""Tolerances: by hand, and by what they let through in simulated comparisons."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from benchmark.regression.reading import IDENTITY, Key, Stored, Tabled
from benchmark.regression.tolerance import (
    MISSING,
    MOVED,
    NAN,
    NEW,
    WITHIN,
    judged,
    moderated,
    over_images,
    pooled,
    variances,
)
from tests.reporting.made import made_identity

NAMES = ["measurement", "metric", "model"]
FAMILY_AND_MODEL = ("random, N_c 20", "top1", "real")


def recorded(values: list[tuple[str, float, float]], metric: str = "top1") -> pd.DataFrame:
    """Return variances of models, each with its degrees of freedom."""
    rows = [("random, N_c 20", metric, model, variance, df) for model, variance, df in values]
    return pd.DataFrame(rows, columns=[*NAMES, "variance", "df"]).set_index(NAMES).astype(float)


def rows(*models: str, old: float = 0.5, new: float = 0.5, seeds: int = 3) -> pd.DataFrame:
    shared = {"measurement": "random, N_c 20", "metric": "top1", "old": old, "new": new, "difference": new - old}
    return pd.DataFrame([shared | {"model": model, "old_seeds": seeds, "new_seeds": seeds} for model in models])


def test_the_tolerance_of_one_model_is_that_of_a_t_test() -> None:
    found = judged(rows("ours"), recorded([("ours", 0.02**2, 4)]))
    assert found["tolerance"].tolist() == pytest.approx([stats.t.ppf(0.975, 4) * 0.02 * (2 / 3) ** 0.5])


def test_models_that_vary_alike_share_one_variance_and_controls_get_it() -> None:
    known = recorded([("ours", 0.0004, 2), ("unet", 0.0005, 4), ("dr_gan", 0.00045, 2)])
    variance = (2 * 0.0004 + 4 * 0.0005 + 2 * 0.00045) / 8
    found = judged(pd.concat([rows("ours", "unet", "dr_gan"), rows("real", seeds=1)], ignore_index=True), known)
    quantile = stats.t.ppf(1 - 0.05 / 2 / 4, 8)  # four rows are compared
    assert found["tolerance"].tolist() == pytest.approx(
        [quantile * (variance * 2 / 3) ** 0.5] * 3 + [quantile * (variance * 2) ** 0.5]
    )


def test_a_model_that_varies_more_has_a_wider_tolerance() -> None:
    known = recorded([(f"m{n}", variance, 4) for n, variance in enumerate([0.0001] * 6 + [0.04])])
    found = moderated(known)
    shared = pooled(known)["variance"].iloc[0]
    assert 0.0001 < found["variance"].iloc[0] < shared < found["variance"].iloc[-1] < 0.04
    assert (found["df"] > 4).all()
    assert (found["df"] < 28).all()


def test_the_pooled_variance_counts_for_what_scatters_beyond_chance() -> None:
    values = [("a", 1e-4, 2.0), ("b", 9e-3, 4.0), ("c", 2e-3, 2.0), ("d", 4e-6, 9.0)]
    chance = [stats.chi2(df) for _, _, df in values]
    logs = [np.log(variance * df) - each.expect(np.log) for (_, variance, df), each in zip(values, chance, strict=True)]
    by_chance = [each.expect(lambda x: np.log(x) ** 2) - each.expect(np.log) ** 2 for each in chance]
    beyond = np.var(logs, ddof=1) - np.mean(by_chance)
    prior = moderated(recorded(values))["df"].iloc[0] - 2
    assert special.polygamma(1, prior / 2) == pytest.approx(beyond, rel=1e-3)  # trigamma


def test_seeds_that_differ_in_number_add_their_variances() -> None:
    table = rows("ours").assign(old_seeds=5, new_seeds=2)
    found = judged(table, recorded([("ours", 0.0004, 4)]))["tolerance"].iloc[0]
    assert found == pytest.approx(stats.t.ppf(0.975, 4) * (0.0004 * (1 / 5 + 1 / 2)) ** 0.5)


@pytest.mark.parametrize("known", [recorded([]), recorded([("ours", 0.0, 2), ("unet", 0.0, 2)])])
def test_without_a_spread_every_move_counts(known: pd.DataFrame) -> None:
    moved, rounded = rows("ours", new=0.500001), rows("ours", new=0.5 + 1e-12)
    table = pd.concat([moved, rounded, rows("unet")], ignore_index=True)
    found = judged(table, known)
    assert found["tolerance"].tolist() == [0, 0, 0]
    assert found["status"].tolist() == [MOVED, WITHIN, WITHIN]


def test_what_there_is_to_say() -> None:
    nan = float("nan")
    known = recorded([("ours", 0.0001, 4)])
    cases = {
        WITHIN: rows("ours", new=0.51),
        MOVED: rows("ours", new=0.3),
        NAN: pd.concat([rows("ours", new=nan), rows("ours", old=nan)]),
        MISSING: rows("ours", new=nan).assign(new_seeds=0),
        NEW: rows("ours", old=nan).assign(old_seeds=0),
    }
    for status, table in cases.items():
        assert set(judged(table.reset_index(drop=True), known)["status"]) == {status}
    assert judged(rows("ours", old=nan, new=nan), known)["status"].tolist() == [WITHIN]


def test_variances_are_those_with_three_seeds() -> None:
    def tabled(seeds: int, low: float = 0.4) -> Tabled:
        return Tabled(pd.DataFrame({"mean": 0.5, "low": low, "high": 1 - low}, index=["top1"]), seeds)

    key = Key(IDENTITY, "random", 20, "ours")
    models = {"ours": tabled(3), "unet": tabled(2), "real": tabled(1), "two_step": tabled(4, 0.5)}
    found = variances({key._replace(model=model): each for model, each in models.items()})
    assert found.index.to_list() == [("random, N_c 20", "top1", model) for model in ("ours", "two_step")]
    assert found["df"].tolist() == [2, 3]
    assert found["variance"].tolist() == pytest.approx([3 * (0.1 / stats.t.ppf(0.975, 2)) ** 2, 0])


def test_what_has_no_spread_of_its_own_may_move_as_over_other_images() -> None:
    key = Key(IDENTITY, "random", 20, "real")
    stored = {rate: Stored(made_identity("real", [rate], 20).totals) for rate in (0.25, 0.0)}
    table = Tabled(pd.DataFrame({"mean": 0.5, "low": 0.4, "high": 0.6}, index=["top1"]), 1)
    three = Stored(made_identity("ours", [0.1, 0.2, 0.3], 20).totals)
    others = {key._replace(model="ours"): three, key._replace(model="copy"): table}
    assert over_images({key: stored[0.0]} | others)[FAMILY_AND_MODEL] == pytest.approx(1 / 202 * 201 / 202 / 200)
    images = over_images({key: stored[0.25]} | others)
    variance = 51 / 202 * 151 / 202 / 200
    assert images[FAMILY_AND_MODEL] == pytest.approx(variance)
    assert set(images.index.get_level_values("model")) == {"real"}
    assert over_images(others).empty
    table = pd.concat([rows("ours"), rows("real", seeds=1)], ignore_index=True)
    quantile = stats.t.ppf(1 - 0.05 / 2 / 2, 4)
    for own, wider in ((0.0001, variance), (0.01, 0.01)):
        found = judged(table, recorded([("ours", own, 4)]), images)["tolerance"]
        assert found.tolist() == pytest.approx([quantile * (own * 2 / 3) ** 0.5, quantile * (wider * 2) ** 0.5])
    assert judged(table, recorded([]), images)["tolerance"].tolist() == [0, 0]
    assert judged(table, recorded([("ours", 0.0, 4)]), images)["tolerance"].tolist() == [0, 0]


MEASUREMENTS, METRICS = 3, 4
INDEX = pd.MultiIndex.from_product([[f"n{n}" for n in range(MEASUREMENTS)], [f"r{n}" for n in range(METRICS)]])


def simulated(models: int, seeds: int, scatter: float, random: np.random.Generator, shift: float = 0) -> bool:
    """Return whether anything is said to have moved between two results that differ by their training seeds.

    Models vary by 0.02, times a factor of their own whose logarithm has the standard deviation `scatter`. What a
    training seed does to one metric, it does to the others in part.

    Args:
        models: number of models.
        seeds: number of training seeds.
        scatter: of how much models vary.
        random: source of chance.
        shift: planted in one rate of one model.
    """
    spread = 0.02 * np.exp(scatter * random.normal(size=models))

    def result() -> np.ndarray:
        common, own = random.normal(size=(seeds, 1, models)), random.normal(size=(seeds, len(INDEX), models))
        return 0.5 + spread * (0.6 * common + 0.8 * own)

    old, new = result(), result()
    new[:, 0, 0] += shift
    index = pd.MultiIndex.from_tuples([(*family, f"m{n}") for family in INDEX for n in range(models)], names=NAMES)
    known = pd.DataFrame({"variance": old.var(0, ddof=1).ravel(), "df": seeds - 1.0}, index)
    means = pd.DataFrame({"old": old.mean(0).ravel(), "new": new.mean(0).ravel()}, index).reset_index()
    table = means.assign(difference=means["new"] - means["old"], old_seeds=seeds, new_seeds=seeds)
    return bool((judged(table, known)["status"] != WITHIN).any())


@pytest.mark.parametrize(("models", "seeds", "scatter"), [(12, 3, 0.0), (6, 5, 0.5)])
def test_training_seeds_alone_seldom_move_anything(
    models: int, seeds: int, scatter: float, say: Callable[[str], None]
) -> None:
    random = np.random.default_rng(1)
    share = np.mean([simulated(models, seeds, scatter, random) for _ in range(100)])
    say(f"comparison of {models} models, {seeds} seeds, spreads scattered by {scatter}: {share:.0%} false alarms")
    assert share <= 0.1  # 0.05 and two standard errors
    assert all(simulated(models, seeds, 0, random, shift=0.3) for _ in range(5))
