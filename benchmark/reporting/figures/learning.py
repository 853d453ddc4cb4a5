"""Losses in the course of training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from benchmark.reporting.figures.layout import label, legend, panels
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import MUTED, WINE, Looks
from benchmark.reporting.pictures import Picture

COLUMNS = 3  # panels side by side
POINTS = 100  # of a curve; longer logs are averaged
COLOURS = (WINE, *MUTED)
LINES = ("-", "--", ":")  # of the first nine losses, the next, and so on


def draw(learning: pd.DataFrame, looks: Looks) -> Iterator[Drawing]:
    """Draw every loss over the images seen, one panel for each model."""
    finite = learning[np.isfinite(learning["value"].astype(float))]
    names = [name for name in looks if name in set(finite["model"])]
    if not names:
        return
    losses = {loss: _style(place) for place, loss in enumerate(dict.fromkeys(finite["loss"]))}
    columns = min(COLUMNS, len(names))
    figure, axes = panels(len(names), columns, 2.1)
    for axis, name in zip(axes, names, strict=True):
        own = finite[finite["model"] == name]
        for loss, rows in own.groupby("loss", sort=False):
            _curve(axis, averaged(rows), losses[str(loss)])
        axis.set_title(name)
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.xaxis.set_major_locator(MaxNLocator(5))
    label(axes, columns, "real images used", "loss")
    legend(figure, [Line2D([], [], label=loss, **style) for loss, style in losses.items()])
    text = (
        "Losses of every training as logged, over the real images that updates of the generator have used. Thin "
        "lines: training seeds; thick lines: their mean. Each model has losses and a scale of its own. Logs of more "
        f"than {POINTS} rows are averaged over neighbouring ones."
    )
    yield Drawing(Picture("figures/learning", "Learning curves", text), figure)


def _style(place: int) -> dict[str, Any]:
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": LINES[place // len(COLOURS) % len(LINES)]}


def averaged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one loss of a model as at most POINTS means for each seed: seeds as columns, images as the index."""
    seeds = rows.pivot_table("value", "images", "seed")
    part = np.arange(len(seeds)) * min(POINTS, len(seeds)) // len(seeds)
    return seeds.groupby(part).mean().set_axis(seeds.index.to_series().groupby(part).mean())


def _curve(axis: Axes, seeds: pd.DataFrame, style: dict[str, Any]) -> None:
    if len(seeds.columns) > 1:
        axis.plot(seeds.index, seeds, linewidth=0.6, alpha=0.5, **style)
    axis.plot(seeds.index, seeds.mean(axis=1), linewidth=1.5, **style)
