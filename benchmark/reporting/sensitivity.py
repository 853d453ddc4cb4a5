"""The identity measurement by other numbers of neighbours and another distance."""

import pandas as pd
from scipy.stats import kendalltau

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.order import in_order
from benchmark.reporting.sheets import Grid, Sheet

KEYS = ["profile", "model", "split", "nc", "neighbours", "metric"]
METRIC = "euclidean"  # of the identity measurement
LEAST_MODELS = 3  # in an order that can be compared


def sensitivity_table(rates: pd.DataFrame, profile: str) -> pd.DataFrame:
    """Return one row for each of KEYS: top1 and top5 as fractions, the means over the training seeds.

    Args:
        rates: top1, top5 and n_draws for each model, seed, split, nc, neighbours and metric.
        profile: name of the run.
    """
    seeds = rates.assign(profile=profile).groupby(KEYS)
    means = seeds[["top1", "top5"]].mean()
    return in_order(means.assign(n_seeds=seeds.size(), n_draws=seeds["n_draws"].first()).reset_index(), *KEYS)


def sheet(table: pd.DataFrame, neighbours: int) -> Sheet:
    """Return top-1 for reading, and how far the order of the models depends on the setting.

    Args:
        table: the table of `sensitivity_table`.
        neighbours: K of the identity measurement, whose distance is Euclidean.
    """
    named = table.assign(setting=[setting(*row) for row in zip(table["neighbours"], table["metric"], strict=True)])
    ordered = named.sort_values(["metric", "neighbours"], ascending=[False, True])["setting"].unique()
    top1 = named.pivot_table("top1", ["model", "split", "nc"], "setting", sort=False)[list(ordered)]
    title = f"Top-1 accuracy in % by number of neighbours and distance, profile {table['profile'].iloc[0]}"
    own = setting(neighbours, METRIC)
    said = (
        f"Means over training seeds and draws, without intervals. The other tables have {own}. All columns are made "
        "from the same features."
    )
    grids, notes = [_grid(100 * top1, 1)], [said]
    models = top1[~top1.index.isin(list(OF_IDENTITY), "model")]
    if models.index.unique("model").size >= LEAST_MODELS:

        def tau(column: pd.Series) -> float:
            return float(kendalltau(column, models.loc[column.index, own]).statistic)

        taus = models.groupby(["split", "nc"]).agg(tau)
        grids.append(_grid(taus, 2, f"Order of the models: Kendall's tau with {own}"))
        lowest = _text(taus.min(axis=None), 2)
        notes.append(f"Tau is 1 for the same order, 0 for none in common, -1 for the reverse. The lowest is {lowest}.")
    return Sheet(title, grids, notes)


def setting(neighbours: int, metric: str) -> str:
    """Return a setting in words."""
    return f"K = {neighbours}, {metric}"


def _grid(values: pd.DataFrame, digits: int, title: str = "") -> Grid:
    rows = values.rename_axis(index={"nc": "N_c"}).reset_index()
    return Grid(list(map(str, rows)), [[_text(cell, digits) for cell in row] for row in rows.to_numpy(object)], title)


def _text(cell: object, digits: int) -> str:
    """Return a number with some digits, `n/a` for one that is none, and anything else as it is."""
    if not isinstance(cell, float):
        return str(cell)
    return "n/a" if pd.isna(cell) else f"{cell:.{digits}f}"
