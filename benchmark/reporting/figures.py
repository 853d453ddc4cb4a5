"""Figures drawn from the result tables."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.files import replacing
from benchmark.reporting import ablation
from benchmark.reporting.tables import random_split
from models.registry import REFERENCE, TABLE_2

TITLES = {"top1": "top-1 identity", "top5": "top-5 identity", "view": "view", "joint": "identity and view"}
LEGEND = 8  # models in one line of the legend


def draw_all(table: pd.DataFrame, folder: Path) -> None:
    """Draw the compared models with the controls (as Fig. 4 and 5 of the paper), and the rows of its Table 2.

    Both are of the paper's random split.
    """
    table = random_split(table)
    ablations = table["model"].isin(TABLE_2)
    accuracy_over_nc(table[~ablations | (table["model"] == REFERENCE)], folder / "accuracy_over_nc")
    if ablations.any():
        accuracy_over_nc(ablation.table(table), folder / "ablation_over_nc")


def accuracy_over_nc(table: pd.DataFrame, path: Path) -> None:
    """Draw each rate over the number of classes with its interval, as `<path>.svg` and `<path>.png`."""
    mpl.use("Agg")
    sns.set_theme(style="whitegrid")
    figure, axes = plt.subplots(1, len(TITLES), figsize=(16, 4.4), sharey=True)
    models = list(dict.fromkeys(table["model"]))
    for axis, (rate, title) in zip(axes, TITLES.items(), strict=True):
        for colour, model in zip(sns.color_palette("colorblind", len(models)), models, strict=True):
            _line(axis, table[table["model"] == model].sort_values("nc"), rate, model, colour)
        axis.set(title=title, xlabel="number of classes $N_c$", ylim=(0, 1.02), xticks=sorted(table["nc"].unique()))
    axes[0].set_ylabel("accuracy")
    figure.suptitle(f"profile {table['profile'].iloc[0]}")
    lines = -(-len(models) // LEGEND)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=LEGEND, frameon=False)
    figure.tight_layout(rect=(0, 0.07 * lines, 1, 1))
    save(figure, path)


def _line(axis: Axes, rows: pd.DataFrame, rate: str, model: str, colour: tuple[float, float, float]) -> None:
    below, above = rows[rate] - rows[f"{rate}_ci_low"], rows[f"{rate}_ci_high"] - rows[rate]
    style = "--" if model in OF_IDENTITY else "-"
    errors = [below.clip(lower=0), above.clip(lower=0)]
    axis.errorbar(
        rows["nc"], rows[rate], errors, label=model, color=colour, linestyle=style, marker="o", capsize=3, markersize=4
    )


def save(figure: Figure, path: Path) -> None:
    """Write a figure as `<path>.svg` and `<path>.png`, the same bytes each time, and close it."""
    with mpl.rc_context({"svg.hashsalt": "viewpoint-benchmark"}):
        for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            with replacing(path.with_suffix(f".{kind}")) as temporary:
                figure.savefig(temporary, format=kind, dpi=120, metadata=metadata)
    plt.close(figure)
