"""How figures look: one style, and for each model the same colour, marker and line in all of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import matplotlib.style
import seaborn as sns

from benchmark.reporting.order import CONTROLS, place
from models.registry import BUILT_IN, REFERENCE, TABLE_2

# Paul Tol, Colour Schemes (SRON/EPS/TN/09-002, 2021): `muted`, made for colour-blind readers
WINE = "#882255"
MUTED = ("#332288", "#88CCEE", "#117733", "#CC6677", "#DDCC77", "#999933", "#44AA99", "#AA4499")
MARKERS = "sD^vPX<"  # as many as go round differently from the colours, so that a pair of both comes back late
GREYS = ("#222222", "#888888")
CONTROL_MARKERS = "*dph>8HX"

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


Line = Literal["-", "--", "-."]


@dataclass(frozen=True)
class Look:
    """How one row of the tables is drawn."""

    colour: str
    marker: str
    line: Line = "-"
    hollow: bool = False

    @property
    def face(self) -> str:
        """Colour inside the marker."""
        return "white" if self.hollow else self.colour


Looks = Mapping[str, Look]


@contextmanager
def theme() -> Iterator[None]:
    """Draw in the style of all figures, whatever the user's own settings of matplotlib are."""
    with matplotlib.style.context(["default", THEME]):
        yield


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return the look of each name, in the order of legends.

    Built-in models look the same in every run, the versions of Table 2 with hollow markers; a user's own models have
    lines of dashes and dots; the controls are grey and dashed.
    """
    wanted = set(names)
    built_in = [name for name in BUILT_IN if name != REFERENCE]
    own = sorted(wanted - set(BUILT_IN) - set(CONTROLS))
    found = {REFERENCE: Look(WINE, "o")}
    found |= {name: _model(place, "-", name in TABLE_2) for place, name in enumerate(built_in)}
    found |= {name: _model(place, "-.", hollow=False) for place, name in enumerate(own, len(built_in))}
    found |= {name: Look(GREYS[n % 2], CONTROL_MARKERS[n], "--") for n, name in enumerate(CONTROLS)}
    return {name: found[name] for name in sorted(wanted, key=place)}


def _model(place: int, line: Line, hollow: bool) -> Look:
    return Look(MUTED[place % len(MUTED)], MARKERS[place % len(MARKERS)], line, hollow)
