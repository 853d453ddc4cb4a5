"""Paired differences between models, for every measurement."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from benchmark.evaluation.comparison import COLUMNS, compare, references
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.evaluation.statistics import SEEDS_FOR_T, Totals
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import Measured

METRICS = ("top1", "joint")
IDENTITY_KEYS = ("metric", "split", "nc")
HEAD = ["model", "compared with", "difference, points", "seeds", "p", "p (Holm)", "verdict"]

OVER_SEEDS = (
    f"where {SEEDS_FOR_T} training seeds or more are common to both models, a 95 % t interval and a paired t test over "
    "the differences of the seeds, all on the same classes and images, whose variation is not in it"
)
OVER_IMAGES = (
    "where fewer training seeds are common, a paired 95 % bootstrap interval over classes and the images in them, for "
    "the trained models at hand; the training seeds' variation is not in it, so there is no p and no verdict"
)
HOLM = (
    "Verdicts are at 5 % by p (Holm), adjusted for all differences of one table here; the intervals are not adjusted."
)
BEST_BASELINE = "best baseline"
CHOSEN = (
    "The best baseline is the highest of the paper's baselines by the mean of the very data it is compared on, which "
    "favours it; its difference from another row of reference stands once."
)

Family = tuple[Mapping[str, str | int], Mapping[str, Totals]]


def identity_families(measured: Iterable[Measured]) -> list[Family]:
    """Return METRICS of the models, without the controls, for each split and N_c: a family of comparisons each."""
    models = sorted((each for each in measured if each.model not in OF_IDENTITY), key=_measurement)
    families: list[Family] = []
    for (split, nc), group in groupby(models, key=_measurement):
        members = list(group)
        for metric in METRICS:
            outcomes = {each.model: each.totals.of(metric) for each in members}
            families.append(({"metric": metric, "split": split, "nc": nc}, outcomes))
    return families


def _measurement(each: Measured) -> tuple[str, int]:
    return each.split, each.nc


def differences_table(
    families: Iterable[Family], keys: Sequence[str], profile: str, first: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the rows of `comparison.compare` for every family, against `first`, vanilla and the best baseline.

    Args:
        families: what each is of (its `keys`), and the outcomes of its models, of one rate.
        keys: columns that tell the families apart, in the order of sorting.
        profile: name of the run.
        first: further rows to compare with.
    """
    others = {name: name for name in first}
    parts = [compare(models, others | references(models)).assign(**key) for key, models in families]
    table = pd.concat(parts or [pd.DataFrame(columns=[*keys, *COLUMNS])]).assign(profile=profile)
    return table.sort_values(list(keys), kind="stable", ignore_index=True)[["profile", *keys, *COLUMNS]]


def sheet(table: pd.DataFrame, keys: Sequence[str], of: str) -> Sheet:
    """Return the differences for reading, one table for each family, and what they rest on."""
    if table.empty:
        return Sheet(f"Paired differences in {of}", [], ["No two models are measured that could be compared."])
    title = f"Paired differences in {of}, profile {table['profile'].iloc[0]}"
    grids = [_grid(dict(zip(keys, values, strict=True)), rows) for values, rows in table.groupby(list(keys))]
    return Sheet(title, grids, [differences_notes(table)])


def differences_notes(table: pd.DataFrame) -> str:
    """Return in words what the intervals and verdicts of a table of differences rest on."""
    enough = table["n_seeds"] >= SEEDS_FOR_T
    kinds = [OVER_SEEDS] * bool(enough.any()) + [OVER_IMAGES] * bool((~enough).any())
    adjusted, chosen = table["p_holm"].notna().any(), (table["reference"] == BEST_BASELINE).any()
    return " ".join([f"In brackets: {'; '.join(kinds)}.", *[HOLM] * bool(adjusted), *[CHOSEN] * bool(chosen)])


def _grid(key: Mapping[str, object], rows: pd.DataFrame) -> Grid:
    words = (str(value) if isinstance(value, str) else f"{name} {value}" for name, value in key.items())
    return Grid(HEAD, [_cells(row) for row in rows.to_dict("records")], ", ".join(words))


def _cells(row: Mapping[Hashable, Any]) -> list[object]:
    other = row["other"] if row["other"] == row["reference"] else f"{row['other']} ({row['reference']})"
    ps = ["" if pd.isna(p) else f"{p:.4f}" for p in (row["p"], row["p_holm"])]
    return [row["model"], other, _points(row), row["n_seeds"], *ps, row["verdict"]]


def _points(row: Mapping[Hashable, Any]) -> str:
    if pd.isna(row["difference"]):
        return "n/a"
    points, low, high = (f"{100 * row[name]:+z.1f}" for name in ("difference", "ci_low", "ci_high"))
    return f"{points} [{low}, {high}]"
