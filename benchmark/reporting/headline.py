"""The first table of the report: the rate to look at, for every model and control."""

import pandas as pd

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, notes, percent, random_split

MAIN, BESIDE = "joint", ("top1", "view")
JOINT = (
    "Joint counts an image only if both the identity and the wanted view are right. It is the rate to look at: a copy "
    "of the input has the best identity of all and turns nothing. Identity (top-1) and view stand beside it for the "
    "smallest number of classes. The split is the paper's random one."
)


def headline(table: pd.DataFrame) -> Sheet:
    """Return the joint accuracy of models and of controls for each number of classes, the best first.

    Args:
        table: rows of `tables.identity_table`.
    """
    table = random_split(table)
    counts = sorted(table["nc"].unique())
    columns = [(MAIN, nc) for nc in counts] + [(rate, counts[0]) for rate in BESIDE]
    head = ["", *(f"{HEADS[rate]} %, {nc} classes" for rate, nc in columns), "seeds"]
    control = table["model"].isin(list(OF_IDENTITY))
    parts = (("model", "Models", table[~control]), ("control", "Controls, which are no model", table[control]))
    grids = [Grid([kind, *head[1:]], _rows(rows, columns), title) for kind, title, rows in parts if not rows.empty]
    explained = "; ".join(f"{name}: {said}" for name, said in OF_IDENTITY.items() if name in set(table["model"]))
    said = [JOINT, notes(table), *([f"Controls: {explained}."] if explained else [])]
    return Sheet(f"Joint accuracy, profile {table['profile'].iloc[0]}", grids, said)


def _rows(table: pd.DataFrame, columns: list[tuple[str, int]]) -> list[list[object]]:
    """Return the cells of each model, by falling joint accuracy; a number of classes it lacks has `-`."""
    first = table[table["nc"] == columns[0][1]].set_index("model")[MAIN]
    order = sorted(table["model"].unique(), key=lambda model: (-first.get(model, -1.0), model))
    found = {(row["model"], row["nc"]): row for row in table.to_dict("records")}
    seeds = table.groupby("model")["n_seeds"].max()

    def cell(model: str, rate: str, nc: int) -> str:
        return percent(found[model, nc], rate) if (model, nc) in found else "-"

    return [[model, *(cell(model, rate, nc) for rate, nc in columns), seeds[model]] for model in order]
