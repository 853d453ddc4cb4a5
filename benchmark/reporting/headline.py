"""The first table of the report: the rate to look at, for every model and control."""

from collections.abc import Callable, Iterable

import pandas as pd

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, notes, percent, random_split

MAIN, BESIDE = "joint", ("top1", "view")
JOINT = (
    "Joint counts an image only if both the identity and the wanted view are right. It is the rate to look at: a copy "
    "of the input has the best identity of all and turns nothing. Identity (top-1) and view stand beside it for the "
    "smallest number of classes. The split is the paper's random one."
)


def headline(table: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the joint accuracy of models and of controls for each number of classes, the best first.

    Args:
        table: rows of `tables.identity_table`.
        gaps: what is missing in them.
    """
    table = random_split(table)
    counts = sorted(table["nc"].unique())
    columns = [(MAIN, nc) for nc in counts] + [(rate, counts[0]) for rate in BESIDE]
    head = [*(f"{HEADS[rate]} %, {nc} classes" for rate, nc in columns), "seeds"]
    parts, footnotes = [("random", nc) for nc in counts], Footnotes()
    names = {*table["model"], *gaps.missing(*parts)}

    def named(model: str) -> str:
        return footnotes.mark(model, gaps.footnote(model, *parts))

    controls = names & set(OF_IDENTITY)
    kinds = (("model", "Models", names - controls), ("control", "Controls, which are no model", controls))
    grids = [Grid([kind, *head], _rows(table, own, columns, named), title) for kind, title, own in kinds if own]
    explained = "; ".join(f"{name}: {said}" for name, said in OF_IDENTITY.items() if name in names)
    said = [*footnotes.notes, JOINT, notes(table), *([f"Controls: {explained}."] if explained else [])]
    return Sheet(f"Joint accuracy, profile {table['profile'].iloc[0]}", grids, said)


def _rows(
    table: pd.DataFrame, models: Iterable[str], columns: list[tuple[str, int]], named: Callable[[str], str]
) -> list[list[object]]:
    """Return the cells of each model, by falling joint accuracy; what it lacks has a dash."""
    first = table[table["nc"] == columns[0][1]].set_index("model")[MAIN]
    order = sorted(models, key=lambda model: (-first.get(model, -1.0), model))
    found = {(row["model"], row["nc"]): row for row in table.to_dict("records")}
    seeds = table.groupby("model")["n_seeds"].max()

    def cell(model: str, rate: str, nc: int) -> str:
        return percent(found[model, nc], rate) if (model, nc) in found else NONE

    return [[named(model), *(cell(model, rate, nc) for rate, nc in columns), seeds.get(model, NONE)] for model in order]
