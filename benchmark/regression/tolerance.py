"""Tolerances of rates, from the recorded spread between training seeds."""

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from benchmark.evaluation.statistics import SEEDS_FOR_T
from benchmark.regression.reading import Results, Stored

FALSE_ALARM = 0.05  # of a whole comparison of results that differ by training seeds alone
FAMILY = ["measurement", "metric"]
ROUNDING = 1e-9  # moves and spreads below this are none
WITHIN, MOVED, MISSING, NEW, NAN = "within", "moved", "missing", "new", "NaN"
NARROW, WIDE = 1e-3, 1e6  # degrees of freedom between which `_prior` looks


def judged(rows: pd.DataFrame, recorded: pd.DataFrame, images: pd.Series | None = None) -> pd.DataFrame:
    """Return the rows of `differences` with their `tolerance`, and what is to be said of each: `status`.

    The tolerance is that of a t test between two means of as many training seeds, at FALSE_ALARM divided by the number
    of rows compared (Bonferroni). Its variance is that of `moderated`; for a row that has none of its own, such as a
    control, the pooled one of the models or that over its images, if this is larger: on another machine the extractor
    is rounded otherwise, and after a short training it answers otherwise for single images. In the profile smoke that
    moved `real` by 1.2 times what the pooled variance alone allows, in one of five other ways of rounding. `mean_image`
    is the same few pictures for all inputs, and can move further. Where the old results record no spread, or it is 0,
    the tolerance is 0.

    Args:
        rows: the table of `differences`.
        recorded: the table of `variances`, of the old results.
        images: that of `over_images`, of the old results.
    """
    compared = rows["difference"].notna()
    shared = _of_rows(pooled(recorded), rows)
    if images is not None and not images.empty:
        own = _of_rows(images.to_frame("variance"), rows)["variance"].where(shared["variance"] > 0)
        shared = shared.assign(variance=np.fmax(shared["variance"], own))
    found = _of_rows(moderated(recorded), rows).fillna(shared)
    quantile = stats.t.ppf(1 - FALSE_ALARM / 2 / max(1, compared.sum()), found["df"])
    seeds = rows[["old_seeds", "new_seeds"]].clip(lower=1)
    tolerance = (quantile * np.sqrt(found["variance"] * (1 / seeds).sum(axis=1))).fillna(0).where(compared)
    moved = rows["difference"].abs() > tolerance + ROUNDING
    # but for the size of a difference; not a number on both sides is the same
    status = pd.Series(WITHIN, rows.index).mask(rows["old"].isna() != rows["new"].isna(), NAN)
    status = status.mask(rows["new_seeds"] == 0, MISSING).mask(rows["old_seeds"] == 0, NEW)
    return rows.assign(tolerance=tolerance, status=status.mask(moved, MOVED))


def _of_rows(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    return table.reindex(pd.MultiIndex.from_frame(rows[table.index.names])).set_axis(rows.index)


def variances(old: Results) -> pd.DataFrame:
    """Return the variance of each rate between training seeds, with its degrees of freedom.

    What has fewer than three seeds is left out, such as the controls of the identity measurement.

    Returns:
        FAMILY and model as index; `variance` and `df`.
    """
    rows = [
        (key.measurement, metric, key.model, spread**2 if spread > ROUNDING else 0, each.seeds - 1)
        for key, each in old.items()
        if each.seeds >= SEEDS_FOR_T
        for metric, spread in each.spread.dropna().items()
    ]
    table = pd.DataFrame(rows, columns=[*FAMILY, "model", "variance", "df"])
    return table.astype({"variance": float, "df": float}).set_index([*FAMILY, "model"])


def over_images(old: Results) -> pd.Series:
    """Return the variance of each rate with too few seeds, had each image been judged again, by FAMILY and model.

    It is p (1 - p) / n for n images with p = (right + 1) / (n + 2), which is not 0 where none or all are right. What is
    stored as a table alone has no images and is left out.
    """
    parts = {}
    for key, each in old.items():
        if isinstance(each, Stored) and each.seeds < SEEDS_FOR_T:
            images = (each.totals.counts > 0).sum()
            share = (each.means * images + 1) / (images + 2)
            parts[key.measurement, key.model] = share * (1 - share) / images
    if not parts:
        return pd.Series(dtype=float)
    found: pd.Series = pd.concat(parts, names=["measurement", "model", "metric"])
    return found.swaplevel("model", "metric")


def pooled(recorded: pd.DataFrame) -> pd.DataFrame:
    """Return the mean variance of the models in each of FAMILY, weighted by degrees of freedom, with their sum."""
    weighted = recorded.assign(variance=recorded["variance"] * recorded["df"]).groupby(FAMILY).sum()
    return weighted.assign(variance=weighted["variance"] / weighted["df"])


def moderated(recorded: pd.DataFrame) -> pd.DataFrame:
    """Return the variance of each model, drawn towards the pooled one, with its degrees of freedom.

    A variance over three seeds says little, and the pooled one is too small for the models that vary most. Between
    them stands the moderated variance of Smyth, "Linear models and empirical Bayes methods for assessing differential
    expression in microarray experiments" (2004): the less the models' variances scatter beyond chance, the more
    degrees of freedom the pooled one counts for. Note: Smyth draws towards a geometric mean. The pooled variance is
    larger, which with few models makes for fewer false alarms. In simulations with spreads that differ by a factor of
    1.6, 2 to 5 % of comparisons of 6 or 12 models are false alarms, and 8 % of 3 models.

    Args:
        recorded: the table of `variances`.
    """
    shared = _of_rows(pooled(recorded), recorded.reset_index()).set_axis(recorded.index)
    prior = _prior(recorded)
    share = 1 / (1 + recorded["df"] / prior)  # of the pooled variance
    variance = share * shared["variance"] + (1 - share) * recorded["variance"]
    return pd.DataFrame({"variance": variance, "df": np.minimum(recorded["df"] + prior, shared["df"])})


def _prior(recorded: pd.DataFrame) -> float:
    """Return for how many degrees of freedom the pooled variances count: Smyth's d0, by his section 6.2.

    The logarithm of a variance with d degrees of freedom scatters by trigamma(d / 2) by chance.
    """
    some = recorded[recorded["variance"] > 0]
    half = some["df"] / 2
    logs = np.log(some["variance"]) - special.digamma(half) + np.log(half)
    groups = logs.groupby(FAMILY)
    free = len(logs) - groups.ngroups
    if free == 0:
        return float("inf")
    beyond = ((logs - groups.transform("mean")) ** 2).sum() / free - special.polygamma(1, half).mean()
    if beyond <= special.polygamma(1, WIDE):
        return float("inf")
    return 2 * float(optimize.brentq(lambda half_prior: special.polygamma(1, half_prior) - beyond, NARROW, WIDE))
