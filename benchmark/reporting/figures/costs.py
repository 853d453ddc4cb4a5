"""What accuracy costs."""

from collections.abc import Iterator, Sequence
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from benchmark.reporting.figures.layout import bars, common_nc, coverage, entries, legend, panels, pointed
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import Looks
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tables import random_split

RATES = {"joint_cross": "joint on other views", "joint": "joint, all views", "top1": "top-1 accuracy"}
COSTS = {
    "generator_parameters": "parameters of the generator",
    "macs": "multiply-accumulates of one image",
    "seconds": "seconds of training",
}
TICKS = 3  # of an axis of costs, whose labels are long


def draw(identity: pd.DataFrame, models: pd.DataFrame, costs: pd.DataFrame, looks: Looks) -> Iterator[Drawing]:
    """Draw joint on other views, joint and top-1 accuracy against each cost that is known, models alone."""
    if models.empty:
        return
    table = random_split(identity).merge(_costs(models, costs), on="model")
    known = [cost for cost in COSTS if table[cost].notna().any()]
    if not known:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    figure, axes = panels(len(RATES) * len(known), len(known), 2.8, sharex="col", sharey="row")
    for axis, (rate, cost) in zip(axes, product(RATES, known), strict=True):
        _points(axis, rows, rate, cost, looks)
    _label(axes, known, costs["device"])
    legend(figure, entries(rows["model"], looks, lines=False))
    text = f"Accuracy with {nc} classes, random split, over what the models cost. {coverage(rows)}"
    yield Drawing(Picture("figures/cost_over_accuracy", f"Cost and accuracy, {nc} classes", text), figure)


def _points(axis: Axes, rows: pd.DataFrame, rate: str, cost: str, looks: Looks) -> None:
    for name, row in rows.groupby("model"):
        axis.errorbar(row[cost], row[rate], bars(row, rate), linestyle="", **pointed(looks[str(name)]))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_major_locator(MaxNLocator(TICKS))


def _label(axes: Sequence[Axes], known: Sequence[str], devices: pd.Series) -> None:
    names = "; ".join(sorted(map(str, devices.dropna().unique()))) or "unknown device"
    for axis, cost in zip(axes[-len(known) :], known, strict=True):
        axis.set_xlabel(f"{COSTS[cost]}\n({names})" if cost == "seconds" else COSTS[cost])
    for axis, words in zip(axes[:: len(known)], RATES.values(), strict=True):
        axis.set_ylabel(words)


def _costs(models: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return the COSTS of each model, seconds as the mean over its training seeds."""
    seconds = costs.groupby("model", as_index=False)["seconds"].mean()
    return (
        models[["model", "generator_parameters", "macs"]]
        .merge(seconds, on="model", how="left")
        .astype(dict.fromkeys(COSTS, float))
    )
