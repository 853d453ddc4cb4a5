"""Figures as files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmark.files import replacing
from benchmark.reporting.pictures import Picture
from benchmark.results.rows import write_csv

KINDS = {"png": {"Software": None}, "svg": {"Date": None}}  # each with what must not stand in the file
OWN = (  # every figure there can be
    "paper/figure_[4-8]",
    "paper/table_[12]",
    "figures/ablation_over_nc",
    "figures/joint_over_view",
    "figures/views",
    "figures/cost_over_accuracy",
    "figures/learning",
    "figures/samples_*",
)
WITH_CONTENT = ("paper/figure_[678]",)


@dataclass(frozen=True)
class Drawing:
    """A figure that is not written yet.

    Attributes:
        picture: where it belongs, and what is said of it.
        figure: the figure, without its title.
        content: what each image in it is, written beside it as CSV.
    """

    picture: Picture
    figure: Figure
    content: pd.DataFrame | None = None


def save(drawing: Drawing, results: Path, run: str) -> Picture:
    """Write a figure with its title and the name of the run, as PNG and SVG with the same bytes each time."""
    title = f"{drawing.picture.title} · profile {run}".replace("$", r"\$")
    drawing.figure.suptitle(title, wrap=True, parse_math=True)  # what is wrapped is parsed, whatever the style says
    for kind, metadata in KINDS.items():
        with replacing(results / f"{drawing.picture.path}.{kind}") as temporary:
            drawing.figure.savefig(temporary, format=kind, metadata=metadata)
        drawing.figure.set_layout_engine("none")  # the panels stay where the first format has put them
    if drawing.content is not None:
        write_csv(drawing.content, results / f"{drawing.picture.path}.csv")
    return drawing.picture


def remove_others(pictures: Iterable[Picture], results: Path) -> None:
    """Remove the figures of earlier runs; other files stay."""
    kept = {results / picture.path for picture in pictures}
    patterns = [f"{name}.{kind}" for name in OWN for kind in KINDS] + [f"{name}.csv" for name in WITH_CONTENT]
    for old in (path for pattern in patterns for path in results.glob(pattern)):
        if old.with_suffix("") not in kept:
            old.unlink()
