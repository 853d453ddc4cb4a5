"""Confidence intervals of rates."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from benchmark.seeding import rng

SEEDS_FOR_T = 3  # trained models from which on the interval is over training seeds
RESAMPLES = 2000
CHUNKS = 20  # of the resamples, so that their weights are never all in memory as floats
TAILS = (0.025, 0.975)
CLUSTERS = ["seed", "identity", "image"]

BETWEEN_SEEDS = (
    "95 % t interval over training seeds, all measured on the same classes and images, whose variation is not in it"
)
WITHIN_MODEL = (
    "95 % bootstrap interval over classes and the images in them, for the trained model at hand; "
    "the training seed's variation is not in it"
)


def covers(seeds: int) -> str:
    """Return in words which variation the interval of a row with so many training seeds covers."""
    return BETWEEN_SEEDS if seeds >= SEEDS_FOR_T else WITHIN_MODEL


@dataclass(frozen=True)
class Totals:
    """Outcomes added up over the views and the repeated draws of an image, which are not independent.

    Attributes:
        sums: one row for each (seed, identity, image), one column for each rate.
        counts: how many outcomes are in each sum, or their weights; those that a rate does not apply to (NaN) are not.
    """

    sums: pd.DataFrame
    counts: pd.DataFrame

    def of(self, rate: str) -> "Totals":
        """Return one rate alone."""
        return Totals(self.sums[[rate]], self.counts[[rate]])

    def of_seeds(self, seeds: Iterable[int]) -> "Totals":
        """Return these training seeds alone."""
        chosen = self.sums.index.get_level_values("seed").isin(list(seeds))
        return Totals(self.sums[chosen], self.counts[chosen])

    @cached_property
    def seed_means(self) -> pd.DataFrame:
        """The mean of each rate (columns) for each training seed (rows); NaN where it applies to nothing."""
        return self.sums.groupby("seed").sum() / self.counts.groupby("seed").sum()


def totals(rates: pd.DataFrame, outcomes: pd.DataFrame, weights: pd.Series | None = None) -> Totals:
    """Add up outcomes by image.

    Args:
        rates: one column for each rate, with the value of each outcome or NaN.
        outcomes: of the same length; columns seed, identity and image.
        weights: of the outcomes, of the same length; 1 by default.
    """
    by = [outcomes[cluster].to_numpy() for cluster in CLUSTERS]
    if weights is None:
        groups = rates.groupby(by)
        return Totals(groups.sum().rename_axis(CLUSTERS), groups.count().rename_axis(CLUSTERS))
    sums, counts = (part.mul(weights, axis=0).groupby(by).sum() for part in (rates, rates.notna()))
    return Totals(sums.rename_axis(CLUSTERS), counts.rename_axis(CLUSTERS))


def means_and_intervals(added: Totals) -> pd.DataFrame:
    """Return the mean of each rate (rows) and its 95 % interval: columns mean, low and high.

    The mean is over the outcomes to which the rate applies, then over training seeds. With three seeds or more the
    interval is a t interval over the means of the seeds, cut off at 0 and 1. With fewer it is `bootstrap_interval`.
    """
    per_seed = added.seed_means
    if len(per_seed) < SEEDS_FOR_T:
        intervals = bootstrap_interval(added)
    else:
        intervals = {end: value.clip(0, 1) for end, value in t_interval(per_seed).items()}
    return pd.DataFrame({"mean": per_seed.mean(), **intervals}, index=per_seed.columns)


def t_interval(per_seed: pd.DataFrame) -> dict[str, pd.Series]:
    """Return `low` and `high` of the 95 % t interval of each column over the rows, one for each training seed."""
    half = per_seed.sem() * stats.t.ppf(TAILS[1], per_seed.count() - 1)
    return {"low": per_seed.mean() - half, "high": per_seed.mean() + half}


def bootstrap_interval(added: Totals) -> dict[str, pd.Series]:
    """Return `low` and `high` of a 95 % percentile bootstrap over classes and, within each, over images.

    An image stays together with its views and repeated draws, and with itself under another training seed. All
    measurements of the same images are resampled alike. In simulations the interval covers 96 % where the rates of
    classes differ by 0.2 (standard deviation), and 99 % where by 0.05: it counts the variation within a class twice.
    """
    sums, counts = (pd.DataFrame(each.unstack("seed", fill_value=0)) for each in (added.sums, added.counts))
    weights = resamples(tuple(sums.groupby("identity").size()))
    added_up = np.concatenate([sums, counts], axis=1)
    weighted = [part.astype(float) @ added_up for part in np.array_split(weights, CHUNKS)]
    summed, counted = np.split(np.concatenate(weighted), 2, axis=1)
    with np.errstate(invalid="ignore"):  # a resample may hold nothing that a rate applies to
        means = summed / counted  # (resamples, rates x seeds)
    over_seeds = pd.DataFrame(means, columns=sums.columns).T.groupby(level=0).mean().T  # (resamples, rates)
    return {name: over_seeds.quantile(tail) for name, tail in zip(("low", "high"), TAILS, strict=True)}


@lru_cache(maxsize=2)  # for two results of other images; 100 MB each with 300 classes of 80 images
def resamples(sizes: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return how often each image is drawn in each resample, of shape (RESAMPLES, images).

    Classes are drawn with replacement, then, each time a class is drawn, as many of its images as it has. Of a class of
    n images drawn k times that is a multinomial draw of k n among its n images.

    Args:
        sizes: number of images of each class; the images are ordered by class.
    """
    random = rng("bootstrap")
    classes = random.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), RESAMPLES)  # (RESAMPLES, classes)
    drawn = np.empty((RESAMPLES, sum(sizes)), np.uint16)
    for k, n, end in zip(classes.T, sizes, np.cumsum(sizes), strict=True):
        drawn[:, end - n : end] = random.multinomial(k * n, np.full(n, 1 / n))
    return drawn
