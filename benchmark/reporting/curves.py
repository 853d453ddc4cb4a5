"""Accuracy over the number of classes, the paper's Fig. 4 and 5: what is drawn, and the same for reading."""

from collections.abc import Mapping

import pandas as pd

from benchmark.evaluation.statistics import SEEDS_FOR_T, covers
from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps
from benchmark.reporting.order import place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, intervals, percent, random_split
from benchmark.results.rates import RATES
from models.registry import REFERENCE, TABLE_2

FACES = "multipie"  # the data set of Fig. 5 and 7


def exhibit(table: pd.DataFrame, dataset: str) -> tuple[str, pd.DataFrame]:
    """Return the name of the paper's figure of accuracy over N_c (5 for faces, otherwise 4) and what is drawn in it.

    These are the rates of the compared methods and of the controls, in the paper's split.
    """
    rows = random_split(table)
    shown = rows[~rows["model"].isin(set(TABLE_2) - {REFERENCE})]
    columns = [f"{rate}{end}" for rate in RATES for end in ("", "_ci_low", "_ci_high")]
    name = f"paper/figure_{5 if dataset == FACES else 4}"
    return name, shown[["profile", "model", "nc", *columns, "n_seeds"]].reset_index(drop=True)


def sheet(curves: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return what is drawn over N_c, for reading: a grid for each rate, with a column for each N_c."""
    counts = sorted(curves["nc"].unique())
    parts, footnotes = [("random", nc) for nc in counts], Footnotes()
    missing = set(gaps.missing(*parts)) - (set(TABLE_2) - {REFERENCE})
    models = sorted({*curves["model"], *missing}, key=place)
    names = {model: footnotes.mark(model, gaps.footnote(model, *parts)) for model in models}
    head = ["model", *(f"{nc} classes, %" for nc in counts)]
    grids = [Grid(head, _over(curves, rate, counts, names), HEADS[rate]) for rate in RATES]
    covered = intervals(curves["n_seeds"], covers(SEEDS_FOR_T), covers(1))
    title = f"Accuracy over the number of classes, profile {curves['profile'].iloc[0]}"
    return Sheet(title, grids, [*footnotes.notes, f"In brackets: {covered}."])


def _over(curves: pd.DataFrame, rate: str, counts: list[int], names: Mapping[str, str]) -> list[list[str]]:
    found = {(row["model"], row["nc"]): percent(row, rate) for row in curves.to_dict("records")}
    return [[name, *(found.get((model, nc), NONE) for nc in counts)] for model, name in names.items()]
