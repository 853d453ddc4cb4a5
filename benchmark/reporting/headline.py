"""The first table of the report: the rate to look at, for every model and control."""

from collections.abc import Callable, Iterable

import pandas as pd

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps
from benchmark.reporting.order import place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, count, joint, notes, percent, random_split
from benchmark.results.rates import LEADING

BESIDE = ("joint", "top1", "view")
SHOWN = (
    "Joint, identity (top-1) and view stand beside it for the smallest number of classes. The split is the paper's "
    "random one."
)
OWN_VIEW = "`real` has a dash, as it shows the view of the input alone."


def headline(table: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return joint on other views of models and of controls for each number of classes, the best first.

    Args:
        table: rows of `tables.identity_table`.
        gaps: what is missing in them.
    """
    table = random_split(table)
    counts = sorted(table["nc"].unique())
    columns = [(LEADING, nc) for nc in counts] + [(rate, counts[0]) for rate in BESIDE]
    head = [*(f"{HEADS[rate]} %, {nc} classes" for rate, nc in columns), "warm-up steps", "seeds"]
    parts, footnotes = [("random", nc) for nc in counts], Footnotes()
    names = {*table["model"], *gaps.missing(*parts)}

    def named(model: str) -> str:
        return footnotes.mark(model, gaps.footnote(model, *parts))

    controls = names & set(OF_IDENTITY)
    kinds = (("model", "Models", names - controls), ("control", "Controls, which are no model", controls))
    grids = [Grid([kind, *head], _rows(table, own, columns, named), title) for kind, title, own in kinds if own]
    explained = "; ".join(f"{name}: {said}" for name, said in OF_IDENTITY.items() if name in names)
    own_view = [OWN_VIEW] * ("real" in names)
    said = [*footnotes.notes, " ".join([joint(table), SHOWN, *own_view]), notes(table)]
    said += [f"Controls: {explained}."] * bool(explained)
    return Sheet(f"Joint on other views, profile {table['profile'].iloc[0]}", grids, said)


def _rows(
    table: pd.DataFrame, models: Iterable[str], columns: list[tuple[str, int]], named: Callable[[str], str]
) -> list[list[object]]:
    """Return the cells of each model, by falling joint on other views; what it lacks has a dash."""
    first = (
        table[table["nc"] == columns[0][1]].set_index("model")[[LEADING, "joint"]].reindex(sorted(models, key=place))
    )
    order = first.sort_values([LEADING, "joint"], ascending=False).index  # what is not a number comes last
    found = {(row["model"], row["nc"]): row for row in table.to_dict("records")}
    ends = table.groupby("model")[["warm_up_steps", "n_seeds"]].max()

    def cell(model: str, rate: str, nc: int) -> str:
        row = found.get((model, nc), {rate: None})
        return NONE if pd.isna(row[rate]) else percent(row, rate)

    def end(model: str) -> list[object]:
        return [count(ends["warm_up_steps"].get(model)), ends["n_seeds"].get(model, NONE)]

    return [[named(model), *(cell(model, rate, nc) for rate, nc in columns), *end(model)] for model in order]
