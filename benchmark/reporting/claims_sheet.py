"""The claims of the paper, and what these results say of them, for reading."""

from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from benchmark.evaluation.comparison import SIGNIFICANT
from benchmark.evaluation.statistics import SEEDS_FOR_T
from benchmark.reporting.claims import CANNOT_TELL, CONTRADICTED, SUPPORTED, summary
from benchmark.reporting.curves import FACES
from benchmark.reporting.differences import OVER_IMAGES, OVER_SEEDS
from benchmark.reporting.gaps import COMPLETE, Footnotes, Gaps
from benchmark.reporting.references import Exhibit, load
from benchmark.reporting.setting import column, differs, setting_notes
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS
from benchmark.results.records import Facts, Part

Row = Mapping[Hashable, Any]
Missing = Mapping[str, Gaps]  # by measurement
NOTHING: Missing = MappingProxyType({})
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


def sheet(table: pd.DataFrame, facts: Facts, missing: Missing = NOTHING) -> Sheet:
    """Return the claims for reading: the verdict of each, what the paper says, then a grid of its parts.

    Args:
        table: those rows.
        facts: where they come from.
        missing: what is missing of `identity` and of `fewshot`.
    """
    shown, footnotes = load().exhibits_for(facts.settings.data.dataset), Footnotes()
    records = {key: own.to_dict("records") for key, own in table.groupby(["exhibit", "claim"])}
    lines = [
        _line(row, footnotes.mark_all(row["claim"], _footnotes(records[row["exhibit"], row["claim"]], missing)))
        for row in summary(table).to_dict("records")
    ]
    grids = [Grid(HEAD, lines, "Verdicts"), _words(shown)]
    for key, exhibit in shown.items():
        head = [*PARTS, f"{column(facts.settings, key)}, points", *TESTS]
        for claim, parts in table[table["exhibit"] == exhibit.name].groupby("claim", sort=False):
            lines = [_part(row, missing, footnotes) for row in parts.to_dict("records")]
            grids.append(Grid(head, lines, f"{exhibit.name}: {claim}"))
    title = f"Claims of the paper, profile {facts.name}"
    return Sheet(title, grids, [*footnotes.notes, *_setting(facts, shown), RULE, _intervals(table), _pictures(shown)])


def _footnotes(parts: Sequence[Row], missing: Missing) -> list[str]:
    """Return what has to be said of each model of a claim."""
    own: dict[str, list[Part]] = {}
    for row in parts:
        gaps, part = _place(row, missing)  # all of them of the same measurement
        for model in (row["higher"], row["lower"]):
            own.setdefault(model, []).append(part)
    said = {model: gaps.footnote(model, *places) for model, places in own.items()}
    return [f"{model}: {text}" for model, text in said.items() if text]


def _place(row: Row, missing: Missing) -> tuple[Gaps, Part]:
    """Return what is missing of the measurement of a row, and its part of that measurement."""
    if pd.isna(row["nc"]):
        return missing.get("fewshot", COMPLETE), None
    return missing.get("identity", COMPLETE), ("random", int(row["nc"]))


def _line(row: Row, claim: str) -> list[object]:
    counts = [row[name] for name in (SUPPORTED, CONTRADICTED, CANNOT_TELL)]
    order = f"{row['in_order']} of {row['measured']}" if row["measured"] else "-"
    return [row["exhibit"], claim, row["verdict"], order, *counts, row["reason"] or "-"]


def _part(row: Row, missing: Missing, footnotes: Footnotes) -> list[object]:
    gaps, part = _place(row, missing)
    said_of = {model: gaps.footnote(model, part) for model in (row["higher"], row["lower"])}
    models = [footnotes.mark(model, f"{model}: {text}" if text else "") for model, text in said_of.items()]
    said = f"{row['verdict']}: {row['reason']}" if row["reason"] else row["verdict"]
    ps = ["-" if pd.isna(p) else f"{p:.4f}" for p in (row["p"], row["p_holm"])]
    seeds: object = "-" if pd.isna(row["n_seeds"]) else row["n_seeds"]
    metric = HEADS.get(row["metric"], row["metric"])
    return [*models, metric, _size(row), _points(row["published"]), _found(row), seeds, *ps, said]


def _size(row: Row) -> str:
    if not pd.isna(row["shot"]):
        return f"{row['way']}-way {row['shot']}-shot"
    return "-" if pd.isna(row["nc"]) else f"{row['nc']} classes"


def _points(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:+z.1f}"


def _found(row: Row) -> str:
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
