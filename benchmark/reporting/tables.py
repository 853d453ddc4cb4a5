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
TERMS = ["parameters", "images", "batch_size", "auxiliary_images"]
DIGITS = 6


@dataclass(frozen=True)
class Trained:
    """On which terms a model was trained; a control was not.

    Attributes:
        map: side of the map its connection sits on, or `-`.
        parameters: trainable parameters of the generator.
        images: real images used by generator-side updates.
        batch_size: images in one batch.
        auxiliary_images: images of the training set.
    """

    map: str = "-"
    parameters: int | None = None
    images: int | None = None
    batch_size: int | None = None
    auxiliary_images: int | None = None


@dataclass(frozen=True)
class Measured:
    """The outcomes of one model or control for one number of classes, over all its training seeds.

    Attributes:
        model: name of the model or control.
        trained: on which terms.
        nc: number of classes.
        outcomes: the outcomes of `evaluation.identity`, with a column `seed`.
    """

    model: str
    trained: Trained
    nc: int
    outcomes: pd.DataFrame


def identity_table(measured: Iterable[Measured], profile: str) -> pd.DataFrame:
    """Return one row for each (model, map, split, nc).

    The columns TERMS say how large the generator is and what it was trained with. Every rate of RATES has columns
    `<rate>`, `<rate>_ci_low` and `<rate>_ci_high`.
    """
    rows = [_row(each, profile) for each in measured]
    return pd.DataFrame(rows).astype(dict.fromkeys(TERMS, "Int64")).sort_values(KEYS, ignore_index=True)


def _row(each: Measured, profile: str) -> dict[str, object]:
    outcomes, trained = each.outcomes, each.trained
    row: dict[str, object] = dict(zip(KEYS, (profile, each.model, trained.map, "random", each.nc), strict=True))
    row |= {term: getattr(trained, term) for term in TERMS}
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
        "| model | map | parameters | N_c | top-1 % | top-5 % | view % | joint % | seeds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [row["model"], row["map"], count(row["parameters"]), row["nc"]]
        cells += [percent(row, rate) for rate in RATES] + [row["n_seeds"]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    title = f"# Identity preservation, profile {table['profile'].iloc[0]}"
    return "\n".join([title, "", *lines, "", notes(table), ""])


def notes(table: pd.DataFrame) -> str:
    """Return in words what the intervals of a table cover, and the budget of the models in it."""
    kinds = sorted({covers(int(seeds)) for seeds in table["n_seeds"]})
    trained = table.dropna(subset=["images"])
    batches = (
        f"{row.images:,} images in batches of {row.batch_size}, drawn from {row.auxiliary_images:,}"
        for row in trained.itertuples()
    )
    budgets = " or ".join(dict.fromkeys(batches)) or "none of these rows was trained"
    return f"In brackets: {'; '.join(kinds)}. Budget, in real images used by generator updates: {budgets}."


def count(number: object) -> str:
    """Return a number with separators, `-` if there is none."""
    return "-" if pd.isna(number) else f"{number:,}"  # type: ignore[call-overload]


def percent(row: Mapping[Hashable, object], rate: str) -> str:
    """Return a rate of a row in percent with its interval, `n/a` if it is not a number."""
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
