"""The rows of Table 2 of the paper: what each part adds to the plain encoder-decoder."""

from collections.abc import Mapping

import pandas as pd

from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps, dashes
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, KEYS, count, joint, notes, percent, random_split
from benchmark.results.rates import RATES
from benchmark.results.records import Part
from models.registry import TABLE_2

SHOWN = [rate for rate in RATES if rate != "view"]


def table(identity: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the identity table that Table 2 has, in its order; its split is the random one.

    `row` counts from 1 as in the paper and `paper` is its name for the version. Widths are the same in all rows, so
    every part adds its parameters.
    """
    order = {model: n for n, model in enumerate(TABLE_2, 1)}
    rows = random_split(identity[identity["model"].isin(TABLE_2)])
    numbered = rows.assign(row=rows["model"].map(order), paper=rows["model"].map(TABLE_2))
    others = [column for column in identity.columns if column not in KEYS[:2]]
    return numbered[["profile", "row", "model", "paper", *others]].sort_values(["row", "nc"], ignore_index=True)


def sheet(ablation: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the ablation for reading, with joint on other views, joint and the columns of Table 2, for every N_c."""
    sizes = sorted(ablation["nc"].unique())
    parts: list[Part] = [("random", nc) for nc in sizes] or list(gaps.there)
    rates = [f"{nc}c {HEADS[rate]} %" for nc in sizes for rate in SHOWN]
    heads = ["version", "connection size", "parameters", "warm-up steps", *rates, "seeds"]
    found = {model: dashes(heads) for model in gaps.missing(*parts)} | _measured(ablation, sizes, gaps)
    shown, footnotes = {model: paper for model, paper in TABLE_2.items() if model in found}, Footnotes()
    lines = [[footnotes.mark(paper, gaps.footnote(model, *parts)), *found[model]] for model, paper in shown.items()]
    title, said = "Ablation", ["No version of Table 2 is measured."]
    if not ablation.empty:
        title, said = f"Ablation (Table 2), profile {ablation['profile'].iloc[0]}", [joint(ablation), notes(ablation)]
    return Sheet(title, [Grid(heads, lines)] * bool(lines), [*footnotes.notes, *said])


def _measured(ablation: pd.DataFrame, sizes: list[int], gaps: Gaps) -> dict[str, list[object]]:
    """Return the cells of each version; what has failed has a dash, what was not to be measured `n/a`."""
    found = {}
    for model, version in ablation.groupby("model"):
        absent = {nc: NONE if gaps.footnote(str(model), ("random", nc)) else "n/a" for nc in sizes}
        found[str(model)] = _cells(version.set_index("nc", drop=False), absent)
    return found


def _cells(version: pd.DataFrame, absent: Mapping[int, str]) -> list[object]:
    """Return the cells of a version; `absent` says what stands for each N_c where it has no number."""
    first = version.iloc[0]
    measured = version.to_dict("index")
    cells = [percent(measured[nc], rate) if nc in measured else text for nc, text in absent.items() for rate in SHOWN]
    terms = [first["connection_size"], count(first["parameters"]), count(first["warm_up_steps"])]
    return [*terms, *cells, _seeds(version["n_seeds"])]


def _seeds(seeds: pd.Series) -> str:
    """Return the number of training seeds, for each N_c where it is not the same for all."""
    if seeds.nunique() == 1:
        return str(seeds.iloc[0])
    return ", ".join(f"{number} ({nc}c)" for nc, number in seeds.items())
