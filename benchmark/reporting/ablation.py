"""The rows of Table 2 of the paper: what each part adds to the plain encoder-decoder."""

import pandas as pd

from benchmark.reporting.tables import KEYS, RATES, count, notes, percent
from models.registry import TABLE_2


def table(identity: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the identity table that Table 2 has, in its order.

    `row` counts from 1 as in the paper and `paper` is its name for the version. Widths are the same in all rows, so
    every part adds its parameters.
    """
    order = {model: n for n, model in enumerate(TABLE_2, 1)}
    rows = identity[identity["model"].isin(TABLE_2)]
    numbered = rows.assign(row=rows["model"].map(order), paper=rows["model"].map(TABLE_2))
    others = [column for column in identity.columns if column not in KEYS[:2]]
    return numbered[["profile", "row", "model", "paper", *others]].sort_values(["row", "nc"], ignore_index=True)


def markdown(ablation: pd.DataFrame) -> str:
    """Return the ablation for reading, with the columns of Table 2 and joint accuracy, for every N_c."""
    if ablation.empty:
        return "No version of Table 2 is measured.\n"
    sizes = sorted(ablation["nc"].unique())
    rates = [rate for rate in RATES if rate != "view"]
    heads = [f"{nc}c {rate} %" for nc in sizes for rate in rates]
    lines = [f"| version | map | parameters | {' | '.join(heads)} |", "|---" * (3 + len(heads)) + "|"]
    for _, version in ablation.groupby("row"):
        lines.append(_line(version.set_index("nc", drop=False), sizes, rates))
    title = f"# Table 2, profile {ablation['profile'].iloc[0]}"
    return "\n".join([title, "", *lines, "", notes(ablation), ""])


def _line(version: pd.DataFrame, sizes: list[int], rates: list[str]) -> str:
    first = version.iloc[0]
    measured = version.to_dict("index")
    cells = [percent(measured[nc], rate) if nc in measured else "n/a" for nc in sizes for rate in rates]
    return "| " + " | ".join([first["paper"], first["map"], count(first["parameters"]), *cells]) + " |"
