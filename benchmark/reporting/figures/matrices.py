"""From which view to which view each model can turn."""

from collections.abc import Iterator, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from benchmark.reporting.figures.layout import WIDTH, common_nc, label, panels, text_width
from benchmark.reporting.figures.saving import Drawing
from benchmark.reporting.figures.style import Looks
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tables import random_split

RATE = "joint"
FEW = 6  # views up to which four matrices stand side by side, otherwise three
NOTHING = "#EEEEEE"  # where no image was turned that way
LABELS = 0.5  # inches for the name of an axis or a panel and the gap beside it


def draw(table: pd.DataFrame, views: Sequence[str], looks: Looks) -> Iterator[Drawing]:
    """Draw the joint accuracy of each model and control as a matrix of source and target views."""
    table = random_split(table).dropna(subset=[RATE])
    if table.empty:
        return
    rows = table[table["nc"] == (nc := common_nc(table))]
    names = [name for name in looks if name in set(rows["model"])]
    columns = 4 if len(views) <= FEW else 3
    figure, axes = panels(len(names), columns, WIDTH / columns - LABELS, sharex=True, sharey=True)
    figure.set_figheight(figure.get_figheight() + max(text_width(view, 9) for view in views) + LABELS)
    for axis, name in zip(axes, names, strict=True):
        _matrix(axis, rows[rows["model"] == name], views)
        axis.set(title=name, xlabel="", ylabel="", facecolor=NOTHING)
        axis.grid(visible=False)
    label(axes, columns, "target view", "view of the input")
    text = (
        f"Joint accuracy in percent (identity and view both right) from each view to each view, {nc} classes, random "
        "split; means over training seeds and draws, without intervals. Joint on other views is what lies off the "
        "diagonal."
    )
    yield Drawing(Picture("figures/views", f"From view to view: joint accuracy in percent, {nc} classes", text), figure)


def _matrix(axis: Axes, rows: pd.DataFrame, views: Sequence[str]) -> None:
    percent = rows.pivot_table(RATE, "source", "target").reindex(index=list(views), columns=list(views)) * 100
    words = [view.replace("_", " ") for view in views]
    font = 8.5 if len(views) <= FEW else 6.5
    style = {"vmin": 0, "vmax": 100, "cmap": "Blues", "cbar": False, "linewidths": 0.5, "rasterized": True}
    labels = {"xticklabels": words, "yticklabels": words}
    sns.heatmap(percent, ax=axis, annot=True, fmt=".0f", annot_kws={"fontsize": font}, **style, **labels)
    axis.tick_params("x", rotation=90)
    axis.tick_params("y", rotation=0)
