"""Parts of every figure: styles of the models, panels, legends, and saving."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.evaluation.statistics import SEEDS_FOR_T, covers
from benchmark.files import replacing
from benchmark.reporting.order import place
from benchmark.reporting.tables import intervals
from benchmark.results.rows import write_csv
from models.registry import BASELINES, BUILT_IN, REFERENCE, TABLE_2

# Paul Tol, Colour Schemes (SRON/EPS/TN/09-002, 2021): `muted`, made for colour-blind readers
WINE = "#882255"
MUTED = ("#332288", "#88CCEE", "#117733", "#CC6677", "#DDCC77", "#999933", "#44AA99", "#AA4499")
MARKERS = "sD^vPX<"  # as many as go round differently from the colours, so that a pair of both comes back late
GREYS = ("#222222", "#888888")
CONTROL_MARKERS = "*dph>8HX"
CONTROLS = tuple(dict.fromkeys([*OF_IDENTITY, *OF_FEWSHOT]))

DPI = 120  # pixels of an inch in PNG files
THEME = {
    **sns.axes_style("whitegrid"),
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same letters on every machine
    "font.size": 10,
    "axes.titlesize": 10,
    "figure.titlesize": 11,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.parse_math": False,  # a name may have dollars in it
    "svg.hashsalt": "viewpoint-benchmark",
    "svg.fonttype": "none",  # letters, which can be searched, instead of their outlines
    "savefig.dpi": DPI,
    "figure.dpi": DPI,
}

WIDTH = 9.0  # inches: as wide as a column of text, so that letters keep their size
Share = bool | Literal["none", "all", "row", "col"]
LINE = 0.22  # inches from one line of a legend to the next
HANDLE = 0.6  # inches of a legend's marker and the gaps beside it
KINDS = {"png": {"Software": None}, "svg": {"Date": None}}  # each with what must not stand in the file
OWN = (  # every figure there can be
    "paper/figure_[4-8]",
    "paper/table_[12]",
    "figures/ablation_over_nc",
    "figures/accuracy_over_nc",
    "figures/joint_over_view",
    "figures/views",
    "figures/cost_over_accuracy",
    "figures/learning",
    "figures/methods",
    "figures/samples_*",
)
WITH_CONTENT = ("paper/figure_[678]", "figures/methods")
Line = Literal["-", "--", "-.", ":"]


@dataclass(frozen=True)
class Style:
    """The style in which one row of the tables is drawn."""

    colour: str
    marker: str
    line: Line = "-"
    hollow: bool = False

    @property
    def face(self) -> str:
        """Colour inside the marker."""
        return "white" if self.hollow else self.colour


Styles = Mapping[str, Style]


@dataclass(frozen=True)
class Picture:
    """A figure that lies in the results as `<path>.png` and `<path>.svg`.

    Attributes:
        path: relative to the results folder, without suffix, such as `paper/figure_4`.
        title: heading, without the name of the run, which stands on the figure itself.
        caption: what is shown, of which split, and what its intervals cover; plain text.
    """

    path: str
    title: str
    caption: str


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


@contextmanager
def theme() -> Iterator[None]:
    """Draw in the style of all figures, whatever the user's own settings of matplotlib are."""
    with matplotlib.style.context(["default", THEME]):
        yield


def styles(names: Iterable[str], elsewhere: Sequence[str] = ()) -> dict[str, Style]:
    """Return the style of each name, in the order of legends.

    Built-in models look alike in every run, the versions of Table 2 with hollow markers, further variants with
    dotted lines; a user's own models have lines of dashes and dots, and so have the rows `elsewhere`, which stand after
    them (see `tables.elsewhere`); the controls are grey and dashed.
    """
    wanted = set(names)
    built_in = [name for name in BUILT_IN if name != REFERENCE]
    own = sorted(wanted - set(BUILT_IN) - set(CONTROLS))
    found = {REFERENCE: Style(WINE, "o")}
    for number, name in enumerate(built_in):
        found[name] = _model(number, "-" if name in (*BASELINES, *TABLE_2) else ":", name in TABLE_2)
    found |= {name: _model(place, "-.", hollow=False) for place, name in enumerate(own, len(built_in))}
    found |= {name: Style(GREYS[n % 2], CONTROL_MARKERS[n], "--") for n, name in enumerate(CONTROLS)}
    return {name: found[name] for name in sorted(wanted, key=lambda name: place(name, elsewhere))}


def _model(place: int, line: Line, hollow: bool) -> Style:
    return Style(MUTED[place % len(MUTED)], MARKERS[place % len(MARKERS)], line, hollow)


def panels(
    count: int, columns: int, height: float, sharex: Share = False, sharey: Share = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure WIDTH wide with `count` panels, each `height` inches high, in rows of `columns`."""
    lines = -(-count // columns)
    figure = Figure(figsize=(WIDTH, lines * height + 0.3), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False, sharex=sharex, sharey=sharey).flat)
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count]


def label(axes: Sequence[Axes], columns: int, x: str, y: str) -> None:
    """Name what is across and what is upwards, at the lowest panel of each column and the leftmost panels."""
    for axis in axes[-columns:]:
        axis.set_xlabel(x)
        axis.tick_params(labelbottom=True)
    for axis in axes[::columns]:
        axis.set_ylabel(y)


def legend(figure: Figure, entries: Sequence[Artist]) -> None:
    """Put a legend below the panels, in as many columns as fit, and make the figure higher by it."""
    widest = max(text_width(str(entry.get_label()), 9) for entry in entries) + HANDLE
    columns = max(1, min(len(entries), int(figure.get_figwidth() / widest)))
    lines = -(-len(entries) // columns)
    figure.set_figheight(figure.get_figheight() + LINE * lines + 0.1)
    by_line = [entry for first in range(columns) for entry in entries[first::columns]]  # it is filled by column
    figure.legend(handles=by_line, loc="outside lower center", ncols=columns)


def entries(names: Iterable[str], styles: Styles, lines: bool = True) -> list[Artist]:
    """Return the legend's entries of rows, with their lines or as markers alone."""
    wanted = set(names)
    return [
        Line2D([], [], label=name, linestyle=style.line if lines else "", **_coloured(style))
        for name, style in styles.items()
        if name in wanted
    ]


def text_width(text: str, size: float) -> float:
    """Return the width of the longest line of a text in inches; `size` is of the font, in points."""
    return max(float(TextPath((0, 0), line, size=size).get_extents().width) for line in text.split("\n")) / 72


def bars(rows: pd.DataFrame, rate: str) -> list[pd.Series]:
    """Return how far the interval of a rate reaches below and above it, as `Axes.errorbar` takes it."""
    below, above = rows[rate] - rows[f"{rate}_ci_low"], rows[f"{rate}_ci_high"] - rows[rate]
    return [below.clip(lower=0), above.clip(lower=0)]


def pointed(style: Style) -> dict[str, Any]:
    """Return the style of points with error bars, as `Axes.errorbar` takes it."""
    return {"markersize": 5, "capsize": 2, "elinewidth": 1, **_coloured(style)}


def _coloured(style: Style) -> dict[str, Any]:
    return {"color": style.colour, "marker": style.marker, "markerfacecolor": style.face}


def coverage(rows: pd.DataFrame) -> str:
    """Return in words what the intervals of rows of the identity table cover."""
    return f"Bars: {intervals(rows['n_seeds'], covers(SEEDS_FOR_T), covers(1))}."


def common_nc(table: pd.DataFrame) -> int:
    """Return the number of classes for which most models are measured, the smallest if there are several."""
    models = table.groupby("nc")["model"].nunique()
    return int(models.index[models == models.max()].min())


def save(drawing: Drawing, results: Path, label: str) -> Picture:
    """Write a figure with its title and the label of the run, as PNG and SVG with the same bytes each time."""
    title = f"{drawing.picture.title} · {label}".replace("$", r"\$")
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
