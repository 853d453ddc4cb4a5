"""Tidy tables: rates as fractions, rows sorted, a fixed number of digits, no dates and no durations."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.evaluation.identity import rates
from benchmark.evaluation.statistics import covers, mean_and_interval
from benchmark.files import write_text

RATES = ("top1", "top5", "view", "joint")
KEYS = ["profile", "model", "map", "split", "nc"]
DIGITS = 6


@dataclass(frozen=True)
class Measured:
    """The outcomes of one model or control for one number of classes, over all its training seeds.

    Attributes:
        model: name of the model or control.
        map: side of the map its connection sits on, or `-`.
        nc: number of classes.
        outcomes: the outcomes of `evaluation.identity`, with a column `seed`.
    """

    model: str
    map: str
    nc: int
    outcomes: pd.DataFrame


def identity_table(measured: Iterable[Measured], profile: str) -> pd.DataFrame:
    """Return one row for each (model, map, split, nc).

    Every rate of RATES has columns `<rate>`, `<rate>_ci_low` and `<rate>_ci_high`.
    """
    rows = [_row(each, profile) for each in measured]
    return pd.DataFrame(rows).sort_values(KEYS, ignore_index=True)


def _row(each: Measured, profile: str) -> dict[str, object]:
    outcomes = each.outcomes
    row: dict[str, object] = dict(zip(KEYS, (profile, each.model, each.map, "random", each.nc), strict=True))
    for rate, values in rates(outcomes, each.nc).items():
        names = (str(rate), f"{rate}_ci_low", f"{rate}_ci_high")
        row.update(zip(names, mean_and_interval(values, outcomes["identity"], outcomes["seed"]), strict=True))
    return row | {
        "n_seeds": outcomes["seed"].nunique(),
        "n_draws": outcomes["draw"].nunique(),
        "n_images": outcomes["image"].nunique(),
    }


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with fixed float format and `\\n` line ends."""
    write_text(path, table.to_csv(index=False, float_format=f"%.{DIGITS}f", lineterminator="\n"))


def identity_markdown(table: pd.DataFrame) -> str:
    """Return the identity table for reading: percent with intervals, and what the intervals cover."""
    lines = [
        "| model | map | N_c | top-1 % | top-5 % | view % | joint % | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [_percent(row, rate) for rate in RATES]
        lines.append("| " + " | ".join(map(str, [row["model"], row["map"], row["nc"], *cells, row["n_seeds"]])) + " |")
    kinds = sorted({covers(int(seeds)) for seeds in table["n_seeds"]})
    title = f"# Identity preservation, profile {table['profile'].iloc[0]}"
    return "\n".join([title, "", *lines, "", f"In brackets: {'; '.join(kinds)}.", ""])


def _percent(row: Mapping[Hashable, object], rate: str) -> str:
    values = [row[rate], row[f"{rate}_ci_low"], row[f"{rate}_ci_high"]]
    if any(pd.isna(value) for value in values):  # type: ignore[call-overload]
        return "n/a"
    mean, low, high = (f"{100 * float(str(value)):.1f}" for value in values)
    return f"{mean} [{low}, {high}]"


def metrics(table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the rates as model -> nc<N> -> rate, the form `dvc metrics` shows."""
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for row in table.to_dict("records"):
        values = {rate: round(float(row[rate]), DIGITS) for rate in RATES if not pd.isna(row[rate])}
        nested.setdefault(str(row["model"]), {})[f"nc{row['nc']}"] = values
    return nested
