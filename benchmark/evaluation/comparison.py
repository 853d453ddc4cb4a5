"""Comparison of models: differences between models measured on the same images, with tests over seeds."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

from benchmark.evaluation.statistics import SEEDS_FOR_T, Totals, bootstrap_interval
from models.registry import BASELINES

SIGNIFICANT = 0.05
POWER = 0.8  # probability of finding a difference that counts as detectable
NO_SPREAD = 1e-12  # differences closer than this are equal but for rounding
COLUMNS = ("model", "reference", "other", "difference", "ci_low", "ci_high", "n_seeds", "p", "p_holm", "verdict")


def best_baseline(measured: Mapping[str, Totals]) -> str | None:
    """Return which of the paper's baselines (section 4.1) has the highest mean, None if none is measured.

    Args:
        measured: outcomes of each model, of one rate.
    """
    means = {name: float(measured[name].seed_means.mean().iloc[0]) for name in BASELINES if name in measured}
    return max(means, key=means.__getitem__, default=None)


def references(measured: Mapping[str, Totals]) -> dict[str, str]:
    """Return what models are compared with: vanilla, and the best baseline, which is chosen on the same data."""
    best = best_baseline(measured)
    return {"vanilla": "vanilla"} | ({"best baseline": best} if best else {})


def compare(measured: Mapping[str, Totals], references: Mapping[str, str]) -> pd.DataFrame:
    """Return the difference of every model to every reference, one row each; all rows are one family of tests.

    With three common training seeds or more, a paired t test over the seeds' differences gives p and the interval, and
    Holm's method adjusts p for the number of rows. With fewer the interval is the paired bootstrap over classes and
    images, and there is no p and no verdict. A pair of models stands once, under the reference that comes first.

    Args:
        measured: outcomes of each model, of one rate, all on the same images.
        references: what to compare with, by the name it has in the column `reference`; only those measured are.

    Returns:
        The COLUMNS. `difference`, with its 95 % interval, is positive where `model` is higher than `other`; `n_seeds`
        counts the training seeds that both have. `verdict` is by the adjusted p: higher, lower, no difference shown, or
        why there is none.
    """
    rows, seen = [], set[frozenset[str]]()
    for reference, other in references.items():
        for model in sorted(set(measured) - {other}) if other in measured else ():
            if (pair := frozenset((model, other))) not in seen:
                seen.add(pair)
                found = difference(measured[model], measured[other])
                rows.append({"model": model, "reference": reference, "other": other, **found})
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in ("p_holm", "verdict")])
    table = table.astype(dict.fromkeys(("difference", "ci_low", "ci_high", "p"), float))
    table["p_holm"] = holm(table["p"])
    shown = zip(table["difference"], table["n_seeds"], table["p_holm"], strict=True)
    return table.assign(verdict=[verdict(*values) for values in shown])


def difference(one: Totals, other: Totals) -> dict[str, float]:
    """Return difference, ci_low, ci_high, n_seeds and p of two models.

    Where the difference is the same for all seeds only a zero has a p, which is 1.

    Raises:
        ValueError: they were not measured on the same outcomes.
    """
    per_seed = [each.seed_means.iloc[:, 0] for each in (one, other)]
    means = pd.concat(per_seed, axis=1, join="inner", keys=["one", "other"])
    both = [each.of_seeds(means.index) for each in (one, other)]
    if not both[0].counts.equals(both[1].counts):
        raise ValueError("two models are compared that were not measured on the same images")
    gap = means["one"] - means["other"]
    found = {"difference": float(gap.mean()), "n_seeds": len(means)}
    if len(means) < SEEDS_FOR_T:
        totals = Totals(both[0].sums - both[1].sums, both[0].counts)
        interval = bootstrap_interval(totals) if len(means) else {}
        return found | {f"ci_{end}": float(value.iloc[0]) for end, value in interval.items()}
    if np.ptp(gap) < NO_SPREAD:
        p = 1.0 if abs(gap.mean()) < NO_SPREAD else float("nan")
        return found | {"p": p, "ci_low": gap.mean(), "ci_high": gap.mean()}
    test = stats.ttest_rel(means["one"], means["other"])
    low, high = test.confidence_interval(0.95)
    return found | {"p": float(test.pvalue), "ci_low": float(low), "ci_high": float(high)}


def holm(p: pd.Series) -> pd.Series:
    """Return p adjusted by Holm's method for as many tests as there are; a missing p is no test and stays missing."""
    made = p.dropna()
    adjusted = multipletests(made, method="holm")[1] if len(made) else []
    return pd.Series(adjusted, made.index, dtype=float).reindex(p.index)


def detectable(low: float, high: float, seeds: int, tests: int) -> float:
    """Return the smallest true difference that a paired t test over the seeds would probably (POWER) have shown.

    It is that of the noncentral t distribution, with the seeds' own spread for the true one, at SIGNIFICANT divided by
    the number of tests: Holm's method asks that of the smallest p, and less of the others.

    Args:
        low: lower end of the 95 % t interval of the difference.
        high: its upper end.
        seeds: number of seeds.
        tests: number of tests in the family.

    Returns:
        A difference above 0, in the unit of the interval; NaN where there is no t interval or no spread.
    """
    if seeds < SEEDS_FOR_T or not high - low > NO_SPREAD:
        return float("nan")
    error = (high - low) / 2 / stats.t.ppf(0.975, seeds - 1)  # of the mean difference
    return float(error * _errors_needed(seeds - 1, SIGNIFICANT / tests))


@cache
def _errors_needed(freedom: int, level: float) -> float:
    """Return how many standard errors a difference has to have to be shown with POWER by a two-sided t test."""
    needed = stats.t.isf(level / 2, freedom)
    return float(optimize.brentq(lambda shift: stats.nct.sf(needed, freedom, shift) - POWER, 0, 10 * needed))


def verdict(gap: float, seeds: int, p: float) -> str:
    """Return in words what a difference shows, by its adjusted p."""
    if seeds < SEEDS_FOR_T:
        return f"needs {SEEDS_FOR_T} seeds, has {seeds}"
    if np.isnan(p):
        return "the seeds do not vary"
    if p >= SIGNIFICANT:
        return "no difference shown"
    return "higher" if gap > 0 else "lower"
