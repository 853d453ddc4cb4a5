"""Intervals of plain columns, for tests."""

import pandas as pd

from benchmark.evaluation.statistics import CLUSTERS, means_and_intervals, totals


def mean_and_interval(
    values: pd.Series, identities: pd.Series, images: pd.Series, seeds: pd.Series
) -> tuple[float, float, float]:
    """Return the mean of outcomes in [0, 1] and its 95 % interval, as `means_and_intervals` does.

    Args:
        values: outcomes, NaN for those that do not count.
        identities: class of each outcome.
        images: image of each outcome.
        seeds: training seed of each outcome.
    """
    columns = zip(CLUSTERS, (seeds, identities, images), strict=True)
    clusters = pd.DataFrame({name: column.to_numpy() for name, column in columns})
    found = means_and_intervals(totals(pd.DataFrame({"rate": values.to_numpy(float)}), clusters))
    mean, low, high = found.to_numpy()[0]
    return float(mean), float(low), float(high)
