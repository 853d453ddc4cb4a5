"""The rows of Table 2 of the paper: what each part adds to the plain encoder-decoder."""

import pandas as pd

from benchmark.reporting.rates import RATES
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import KEYS, count, notes, percent, random_split
from models.registry import TABLE_2


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


def sheet(ablation: pd.DataFrame) -> Sheet:
    """Return the ablation for reading, with the columns of Table 2 and joint accuracy, for every N_c."""
    if ablation.empty:
        return Sheet("Ablation", [], ["No version of Table 2 is measured."])
    sizes = sorted(ablation["nc"].unique())
    rates = [rate for rate in RATES if rate != "view"]
    heads = ["version", "map", "parameters", *(f"{nc}c {rate} %" for nc in sizes for rate in rates), "seeds"]
    lines = [_line(version.set_index("nc", drop=False), sizes, rates) for _, version in ablation.groupby("row")]
    title = f"Ablation (Table 2), profile {ablation['profile'].iloc[0]}"
    return Sheet(title, [Grid(heads, lines)], [notes(ablation)])


def _line(version: pd.DataFrame, sizes: list[int], rates: list[str]) -> list[object]:
    first = version.iloc[0]
    measured = version.to_dict("index")
    cells = [percent(measured[nc], rate) if nc in measured else "n/a" for nc in sizes for rate in rates]
    return [first["paper"], first["map"], count(first["parameters"]), *cells, _seeds(version["n_seeds"])]


def _seeds(seeds: pd.Series) -> str:
    """Return the number of training seeds, for each N_c where it is not the same for all."""
    if seeds.nunique() == 1:
        return str(seeds.iloc[0])
    return ", ".join(f"{number} ({nc}c)" for nc, number in seeds.items())
