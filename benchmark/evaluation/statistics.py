"""How sure one can be of a rate."""

import numpy as np
import pandas as pd
from scipy import stats

from benchmark.seeding import seed

SEEDS_FOR_T = 3  # trained models from which on the interval is over training seeds
RESAMPLES = 2000

BETWEEN_SEEDS = "95 % t interval over training seeds"
WITHIN_MODEL = (
    "95 % bootstrap interval over identities, for one trained model; the training seed's variation is not in it"
)


def covers(seeds: int) -> str:
    """Return in words which variation the interval of a row with so many training seeds covers."""
    return BETWEEN_SEEDS if seeds >= SEEDS_FOR_T else WITHIN_MODEL


def mean_and_interval(values: pd.Series, identities: pd.Series, seeds: pd.Series) -> tuple[float, float, float]:
    """Return the mean of 0/1 outcomes and its 95 % interval.

    With three training seeds or more it is a t interval over the means of the seeds. With fewer it is a percentile
    bootstrap over identities: the outcomes of one identity, its images and views, are kept together.

    Args:
        values: outcomes.
        identities: identity of each outcome.
        seeds: training seed of each outcome.
    """
    if values.isna().any():
        return (float("nan"),) * 3
    per_seed = values.groupby(seeds).mean()
    mean = float(per_seed.mean())
    if len(per_seed) < SEEDS_FOR_T:
        return mean, *_over_identities(values, identities)
    error = float(stats.sem(per_seed))
    if error == 0:
        return mean, mean, mean
    low, high = stats.t.interval(0.95, len(per_seed) - 1, loc=mean, scale=error)
    return mean, max(0.0, float(low)), min(1.0, float(high))


def _over_identities(values: pd.Series, identities: pd.Series) -> tuple[float, float]:
    grouped = values.groupby(identities)
    hits, counts = grouped.sum().to_numpy(), grouped.size().to_numpy()
    if len(np.unique(hits / counts)) == 1:  # no variation, for which scipy would answer NaN and a warning
        return float(hits[0] / counts[0]), float(hits[0] / counts[0])
    interval = stats.bootstrap(
        (hits, counts),
        lambda h, n, axis: h.sum(axis) / n.sum(axis),
        n_resamples=RESAMPLES,
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed("bootstrap")),
    ).confidence_interval
    return float(interval.low), float(interval.high)
