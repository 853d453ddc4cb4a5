"""Paired differences between models, for every measurement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.evaluation.comparison import COLUMNS, compare, references
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.evaluation.statistics import SEEDS_FOR_T, Totals
from benchmark.reporting.gaps import COMPLETE, Footnotes, Gaps, dashes
from benchmark.reporting.order import place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS
from benchmark.results.rates import LEADING
from benchmark.results.records import Measured, Part

METRICS = (LEADING, "joint", "top1")
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
    parts: dict[tuple[str, int], list[Measured]] = {}
    for each in measured:
        if each.model not in OF_IDENTITY:
            parts.setdefault((each.split, each.nc), []).append(each)
    return [
        ({"metric": metric, "split": split, "nc": nc}, {each.model: each.totals.of(metric) for each in members})
        for (split, nc), members in sorted(parts.items())
        for metric in METRICS
    ]


def differences_table(
    families: Iterable[Family],
    keys: Sequence[str],
    profile: str,
    first: Sequence[str] = (),
    elsewhere: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the rows of `comparison.compare` for every family, against `first`, vanilla and the best baseline.

    Args:
        families: what each is of (its `keys`), and the outcomes of its models, of one rate.
        keys: columns that tell the families apart, in the order of sorting; METRICS are sorted by their own order.
        profile: name of the run.
        first: further rows to compare with.
        elsewhere: rows that stand after the models, see `tables.elsewhere`.
    """
    others = {name: name for name in first}
    parts = [compare(models, others | references(models)).assign(**key) for key, models in families]
    table = pd.concat(parts or [pd.DataFrame(columns=[*keys, *COLUMNS])]).assign(profile=profile)
    order = {name: n for n, name in enumerate([*METRICS, *first, "vanilla", BEST_BASELINE])}

    def placed(column: "pd.Series[Any]") -> "pd.Series[Any]":
        if column.name == "model":
            return column.map(lambda model: place(model, elsewhere))
        return column.map(order).fillna(0) if column.name in ("metric", "reference") else column

    ordered = table.sort_values([*keys, "reference", "model"], key=placed, ignore_index=True)
    return ordered[["profile", *keys, *COLUMNS]]


def sheet(table: pd.DataFrame, keys: Sequence[str], of: str, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the differences for reading, a table for each family, what they rest on, and which models are missing."""
    footnotes = Footnotes()
    if table.empty:
        missing = _missing(gaps, tuple(gaps.there), footnotes)
        said = ["No two models are measured that could be compared."]
        return Sheet(f"Paired differences in {of}", [Grid(HEAD, missing)] * bool(missing), [*footnotes.notes, *said])
    title = f"Paired differences in {of}, profile {table['profile'].iloc[0]}"
    grids = []
    for values, rows in table.groupby(list(keys), sort=False):
        key: dict[str, Any] = dict(zip(keys, values, strict=True))
        words = (HEADS.get(each, each) if isinstance(each, str) else f"{name} {each}" for name, each in key.items())
        part = (key["split"], key["nc"]) if "split" in key else None
        lines: list[list[object]] = []
        for row in rows.to_dict("records"):
            model, other = (footnotes.mark(row[end], gaps.footnote(row[end], part)) for end in ("model", "other"))
            if row["other"] != row["reference"]:
                other += f" ({row['reference']})"
            points, low, high = (f"{100 * row[name]:+z.1f}" for name in ("difference", "ci_low", "ci_high"))
            points = "n/a" if pd.isna(row["difference"]) else f"{points} [{low}, {high}]"
            ps = ["" if pd.isna(p) else f"{p:.4f}" for p in (row["p"], row["p_holm"])]
            lines.append([model, other, points, row["n_seeds"], *ps, row["verdict"]])
        grids.append(Grid(HEAD, [*lines, *_missing(gaps, [part], footnotes)], ", ".join(words)))
    return Sheet(title, grids, [*footnotes.notes, differences_notes(table)])


def differences_notes(table: pd.DataFrame) -> str:
    """Return in words what the intervals and verdicts of a table of differences rest on."""
    enough = table["n_seeds"] >= SEEDS_FOR_T
    kinds = [OVER_SEEDS] * bool(enough.any()) + [OVER_IMAGES] * bool((~enough).any())
    adjusted, chosen = table["p_holm"].notna().any(), (table["reference"] == BEST_BASELINE).any()
    return " ".join([f"In brackets: {'; '.join(kinds)}.", *[HOLM] * bool(adjusted), *[CHOSEN] * bool(chosen)])


def _missing(gaps: Gaps, parts: Sequence[Part], footnotes: Footnotes) -> list[list[object]]:
    missing = (model for model in gaps.missing(*parts) if model not in {*OF_IDENTITY, *OF_FEWSHOT})
    return [[footnotes.mark(model, gaps.footnote(model, *parts)), *dashes(HEAD)] for model in missing]
