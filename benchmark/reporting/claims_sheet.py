"""The claims of the paper, and what these results say of them, for reading."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from benchmark.evaluation.comparison import SIGNIFICANT
from benchmark.evaluation.statistics import SEEDS_FOR_T
from benchmark.reporting.claims import CANNOT_TELL, CONTRADICTED, SUPPORTED, summary
from benchmark.reporting.curves import FACES
from benchmark.reporting.differences import OVER_IMAGES, OVER_SEEDS
from benchmark.reporting.facts import Facts
from benchmark.reporting.references import Exhibit, load
from benchmark.reporting.setting import column, differs, setting_notes
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS

METRICS = HEADS | {"view_cross": "view, other than the input's", "copied_pixels": "copied (pixels)"}
HEAD = ["exhibit", "claim", "verdict", "in this order", SUPPORTED, CONTRADICTED, CANNOT_TELL, "why"]
PARTS = ["claimed above", "claimed below", "rate", "with", "published, points"]
TESTS = ["seeds", "p", "p (Holm)", "verdict"]
RULE = (
    "A part is one pair of models in one rate with one number of classes (random split) or shots, measured on the same "
    f"images. It is supported or contradicted where p (Holm) is below {100 * SIGNIFICANT:.0f} %; Holm's method adjusts "
    "p for all parts of the same exhibit and rate. A claim is supported if all its parts are, and contradicted if any "
    "is. In this order: the measured parts whose means have the order of the claim, whatever the test says; alone it "
    "shows nothing."
)
ALIKE = "A control is not trained and is the same beside every training seed."
NOT_THE_PAPER = "A verdict is about these data, and not about those of the paper."


def sheet(table: pd.DataFrame, facts: Facts) -> Sheet:
    """Return the claims for reading, each with its verdict over the rows of `claims.claims_table`."""
    shown = load().exhibits_for(facts.settings.data.dataset)
    verdicts = Grid(HEAD, [_line(row) for row in summary(table).to_dict("records")], "Verdicts")
    title = f"Claims of the paper, profile {facts.name}"
    return Sheet(title, [verdicts, _words(shown)], [*_setting(facts, shown), RULE])


def parts_sheet(table: pd.DataFrame, facts: Facts) -> Sheet:
    """Return the rows of `claims.claims_table` for reading, a grid for each claim."""
    shown = load().exhibits_for(facts.settings.data.dataset)
    grids = []
    for key, exhibit in shown.items():
        head = [*PARTS, f"{column(facts.settings, key)}, points", *TESTS]
        for claim, parts in table[table["exhibit"] == exhibit.name].groupby("claim", sort=False):
            grids.append(Grid(head, [_part(row) for row in parts.to_dict("records")], f"{exhibit.name}: {claim}"))
    title = f"Claims of the paper, part by part, profile {facts.name}"
    return Sheet(title, grids, [*_setting(facts, shown), RULE, _intervals(table), _pictures(shown)])


def _line(row: Mapping[Hashable, Any]) -> list[object]:
    counts = [row[name] for name in (SUPPORTED, CONTRADICTED, CANNOT_TELL)]
    order = f"{row['in_order']} of {row['measured']}" if row["measured"] else "-"
    return [row["exhibit"], row["claim"], row["verdict"], order, *counts, row["reason"] or "-"]


def _part(row: Mapping[Hashable, Any]) -> list[object]:
    said = f"{row['verdict']}: {row['reason']}" if row["reason"] else row["verdict"]
    ps = ["-" if pd.isna(p) else f"{p:.4f}" for p in (row["p"], row["p_holm"])]
    seeds = "-" if pd.isna(row["n_seeds"]) else row["n_seeds"]
    metric = METRICS.get(row["metric"], row["metric"])
    return [row["higher"], row["lower"], metric, _size(row), _points(row["published"]), _found(row), seeds, *ps, said]


def _size(row: Mapping[Hashable, Any]) -> str:
    if not pd.isna(row["shot"]):
        return f"{row['way']}-way {row['shot']}-shot"
    return "-" if pd.isna(row["nc"]) else f"{row['nc']} classes"


def _points(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:+z.1f}"


def _found(row: Mapping[Hashable, Any]) -> str:
    if pd.isna(row["ci_low"]):
        return "n/a"
    return f"{_points(row['difference'])} [{_points(row['ci_low'])}, {_points(row['ci_high'])}]"


def _setting(facts: Facts, shown: Mapping[str, Exhibit]) -> list[str]:
    """Return what differs from the paper's setting, and which exhibits are about other data."""
    first, *others = setting_notes(facts.settings)
    faces = facts.settings.data.dataset == FACES
    cars = [each.name for each in shown.values() if faces and each.data != FACES and each.measurement]
    of_cars = f" In the paper {', '.join(cars)} are of CompCars alone." if cars else ""
    other = f" {NOT_THE_PAPER}" if cars or differs(facts.settings) else ""
    return [f"{first}{of_cars}{other}", *others]


def _intervals(table: pd.DataFrame) -> str:
    seeds = table["n_seeds"].dropna()
    kinds = [OVER_SEEDS] * bool((seeds >= SEEDS_FOR_T).any()) + [OVER_IMAGES] * bool((seeds < SEEDS_FOR_T).any())
    return f"In brackets: {'; '.join(kinds)}. {ALIKE}" if kinds else "None of the pairs is measured."


def _pictures(shown: Mapping[str, Exhibit]) -> str:
    pictures = "; ".join(f"{each.name}: {each.shows}" for each in shown.values() if not each.rows)
    return f"Published: the printed difference, which tables alone have. {pictures}."


def _words(shown: Mapping[str, Exhibit]) -> Grid:
    claims = [claim for claim in load().claims if claim.exhibit in shown]
    rows = [[shown[claim.exhibit].name, claim.claim, claim.says] for claim in claims]
    return Grid(["exhibit", "claim", "in the paper"], rows, "What the paper says")
