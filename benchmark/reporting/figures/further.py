"""Figures beyond the paper: what accuracy costs, losses in the course of training, from which view to which."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from benchmark.reporting.figures.canvas import (
    MUTED,
    WIDTH,
    WINE,
    Drawing,
    Picture,
    Styles,
    bars,
    common_nc,
    coverage,
    entries,
    label,
    legend,
    panels,
    pointed,
    text_width,
)
from benchmark.reporting.tables import random_split

RATES_OVER_COSTS = {"joint_cross": "joint on other views", "joint": "joint, all views", "top1": "top-1 accuracy"}
COSTS = {
    "generator_parameters": "parameters of the generator",
    "macs": "multiply-accumulates of one image",
    "seconds": "seconds of training, with other load",
}
TICKS = 3  # of an axis of costs, whose labels are long

COLUMNS = 3  # panels of losses side by side
POINTS = 100  # of a curve; longer logs are averaged
COLOURS = (WINE, *MUTED)
LINES = ("-", "--", ":")  # of the first nine losses, the next, and so on

VIEWS_RATE = "joint"
FEW = 6  # views up to which four matrices stand side by side, otherwise three
NOTHING = "#EEEEEE"  # where no image was turned that way
LABELS = 0.5  # inches for the name of an axis or a panel and the gap beside it


def costs(identity: pd.DataFrame, models: pd.DataFrame, spent: pd.DataFrame, styles: Styles) -> Iterator[Drawing]:
    """Draw joint on other views, joint and top-1 accuracy against each cost that is known, models alone.

    Seconds are the median over training seeds, as a pause or other work stretches single ones.
    """
    if models.empty:
        return
    seconds = spent.groupby("model", as_index=False)["seconds"].median()
    sizes = models[["model", "generator_parameters", "macs"]].merge(seconds, on="model", how="left")
    own = random_split(identity).drop(columns="macs", errors="ignore")
    table = own.merge(sizes.astype(dict.fromkeys(COSTS, float)), on="model")
    known = [cost for cost in COSTS if table[cost].notna().any()]
    if not known:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    figure, axes = panels(len(RATES_OVER_COSTS) * len(known), len(known), 2.8, sharex="col", sharey="row")
    for axis, (rate, cost) in zip(axes, product(RATES_OVER_COSTS, known), strict=True):
        for name, row in rows.groupby("model"):
            axis.errorbar(row[cost], row[rate], bars(row, rate), linestyle="", **pointed(styles[str(name)]))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.xaxis.set_major_locator(MaxNLocator(TICKS))
    devices = "; ".join(sorted(map(str, spent["device"].dropna().unique()))) or "unknown device"
    for axis, cost in zip(axes[-len(known) :], known, strict=True):
        axis.set_xlabel(f"{COSTS[cost]}\n({devices})" if cost == "seconds" else COSTS[cost])
    for axis, words in zip(axes[:: len(known)], RATES_OVER_COSTS.values(), strict=True):
        axis.set_ylabel(words)
    legend(figure, entries(rows["model"], styles, lines=False))
    text = f"Accuracy with {nc} classes, random split, over what the models cost. {coverage(rows)}"
    yield Drawing(Picture("figures/cost_over_accuracy", f"Cost and accuracy, {nc} classes", text), figure)


def learning(log: pd.DataFrame, styles: Styles) -> Iterator[Drawing]:
    """Draw every loss over the images seen, one panel for each model."""
    finite = log[np.isfinite(log["value"].astype(float))]
    names = [name for name in styles if name in set(finite["model"])]
    if not names:
        return
    losses: dict[str, dict[str, Any]] = {
        str(loss): {"color": COLOURS[n % len(COLOURS)], "linestyle": LINES[n // len(COLOURS) % len(LINES)]}
        for n, loss in enumerate(dict.fromkeys(finite["loss"]))
    }
    columns = min(COLUMNS, len(names))
    figure, axes = panels(len(names), columns, 2.1)
    for axis, name in zip(axes, names, strict=True):
        own = finite[finite["model"] == name]
        for loss, rows in own.groupby("loss", sort=False):
            seeds, style = averaged(rows), losses[str(loss)]
            if len(seeds.columns) > 1:
                axis.plot(seeds.index, seeds, linewidth=0.6, alpha=0.5, **style)
            axis.plot(seeds.index, seeds.mean(axis=1), linewidth=1.5, **style)
        axis.set_title(name)
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.xaxis.set_major_locator(MaxNLocator(5))
    label(axes, columns, "real images used", "loss")
    legend(figure, [Line2D([], [], label=loss, **style) for loss, style in losses.items()])
    text = (
        "Losses of every training run as logged, over the real images that updates of the generator have used. Thin "
        "lines: training seeds; thick lines: their mean. Each model has losses and a scale of its own. Logs of more "
        f"than {POINTS} rows are averaged over neighbouring ones."
    )
    yield Drawing(Picture("figures/learning", "Learning curves", text), figure)


def averaged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one loss of a model as at most POINTS means for each seed: seeds as columns, images as the index."""
    seeds = rows.pivot_table("value", "images", "seed")
    part = np.arange(len(seeds)) * min(POINTS, len(seeds)) // len(seeds)
    return seeds.groupby(part).mean().set_axis(seeds.index.to_series().groupby(part).mean())


def matrices(table: pd.DataFrame, views: Sequence[str], styles: Styles) -> Iterator[Drawing]:
    """Draw the joint accuracy of each model and control as a matrix of source and target views."""
    table = random_split(table).dropna(subset=[VIEWS_RATE])
    if table.empty:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    names = [name for name in styles if name in set(rows["model"])]
    columns = 4 if len(views) <= FEW else 3
    figure, axes = panels(len(names), columns, WIDTH / columns - LABELS, sharex=True, sharey=True)
    figure.set_figheight(figure.get_figheight() + max(text_width(view, 9) for view in views) + LABELS)
    words = [view.replace("_", " ") for view in views]
    numbers = {"annot": True, "fmt": ".0f", "annot_kws": {"fontsize": 8.5 if len(views) <= FEW else 6.5}}
    style = {"vmin": 0, "vmax": 100, "cmap": "Blues", "cbar": False, "linewidths": 0.5, "rasterized": True, **numbers}
    for axis, name in zip(axes, names, strict=True):
        own = rows[rows["model"] == name].pivot_table(VIEWS_RATE, "source", "target")
        percent = own.reindex(index=list(views), columns=list(views)) * 100
        sns.heatmap(percent, ax=axis, xticklabels=words, yticklabels=words, **style)
        axis.tick_params("x", rotation=90)
        axis.tick_params("y", rotation=0)
        axis.set(title=name, xlabel="", ylabel="", facecolor=NOTHING)
        axis.grid(visible=False)
    label(axes, columns, "target view", "view of the input")
    text = (
        f"Joint accuracy in percent (identity and view both right) from each view to each view, {nc} classes, random "
        "split; means over training seeds and draws, without intervals. Joint on other views is what lies off the "
        "diagonal."
    )
    yield Drawing(Picture("figures/views", f"From view to view: joint accuracy in percent, {nc} classes", text), figure)
