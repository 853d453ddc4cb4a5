"""A comparison for reading, in Markdown: what moved, worst first, and what the tolerances rest on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.evaluation.statistics import SEEDS_FOR_T
from benchmark.regression.comparison import Comparison
from benchmark.regression.differences import PAIRED
from benchmark.regression.tolerance import FALSE_ALARM, MISSING, MOVED, NAN, NEW, ROUNDING, WITHIN
from benchmark.reporting.sheets import Grid, Sheet, markdown

SHOWN = 40  # lines on the terminal
HEAD = ["what", "measurement", "model", "metric", "old %", "new %", "difference, points", "tolerance", "ratio", "basis"]
INTERVALS = (
    f"In brackets: 95 % intervals of the difference, not adjusted; from {SEEDS_FOR_T} common training seeds on over "
    "the seeds, with fewer over classes and the images in them."
)
TOLERANCE = (
    f"Tolerance: that of a t test at {100 * FALSE_ALARM:.0f} % divided by the number of rows compared (Bonferroni), "
    "for means of as many training seeds. The variance is that between training seeds in the old results: of each "
    "model, drawn towards the one pooled over the models of the measurement and metric (moderated t test). Rows "
    "without a spread of their own, such as controls, get the pooled one or that over their images, if this is larger: "
    "on another machine the extractor's rounding moves them too. Ratio: difference over tolerance."
)
BLIND = (
    "{} of the rows could not move beyond their tolerance, which is as wide as the rate has room: more training seeds "
    "in the old results, or more models, narrow it."
)
UNKNOWN = (
    f"The old results hold no model with {SEEDS_FOR_T} training seeds or more for {{}}, so the spread is not known: "
    "the tolerance is 0 there, and every move counts. `benchmark run --seeds 5` records a spread."
)
CONTRADICTED = (
    "Tables that are not what their stored rows give: the code that makes rates and tables from outcomes has changed "
    "since, or is wrong."
)
UNPAIRED = (
    "Unpaired rows: the two share no images and draws, or no training seed, or one is a table alone. Their intervals "
    "come from the two intervals, and other images may move them further than their tolerance, which is over seeds."
)


def short(comparison: Comparison, old: Path, new: Path) -> str:
    """Return the worst of what moved, for the terminal."""
    lines = _lines(comparison.rows[comparison.rows["status"] != WITHIN])
    left = [f"{len(lines) - SHOWN} more lines; --markdown FILE writes all."] * (len(lines) > SHOWN)
    return markdown(Sheet(_title(old, new), _grids(lines[:SHOWN]), [*left, *_notes(comparison)]))


def full(comparison: Comparison, old: Path, new: Path) -> str:
    """Return everything, with the rows within their tolerance folded."""
    within = comparison.rows["status"] == WITHIN
    text = markdown(Sheet(_title(old, new), _grids(_lines(comparison.rows[~within])), _notes(comparison)))
    folded = markdown(Sheet("Within tolerance", _grids(_lines(comparison.rows[within]))))
    summary = f"<summary>{within.sum()} rows within their tolerance</summary>"
    return f"{text}\n<details>{summary}\n\n{folded}\n</details>\n" if within.any() else text


def _title(old: Path, new: Path) -> str:
    return f"Results compared: old {old}, new {new}"


def _grids(lines: Sequence[Sequence[str]]) -> list[Grid]:
    return [Grid(HEAD, lines)] * bool(lines)


def _lines(rows: pd.DataFrame) -> list[list[str]]:
    """Return the cells of each line, worst first."""
    compared = rows[~rows["status"].isin([MISSING, NEW])]
    return [
        *_alone(rows[rows["status"] == MISSING]),
        *(_cells(row) for row in _ranked(compared).to_dict("records")),
        *_alone(rows[rows["status"] == NEW]),
    ]


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their `ratio`, those with NaN on one side first, then by ratio and by difference."""
    size = rows["difference"].abs()
    ratio = (size / rows["tolerance"]).where(size > ROUNDING, 0)
    ranked = rows.assign(ratio=ratio, size=size, number=rows["status"] != NAN)
    return ranked.sort_values(["number", "ratio", "size"], ascending=[True, False, False], kind="stable")


def _alone(rows: pd.DataFrame) -> Iterator[list[str]]:
    """Yield one line for each model and measurement that one side lacks."""
    for names, own in rows.groupby(["status", "measurement", "model"], sort=False):
        metric = own["metric"].iloc[0] if len(own) == 1 else f"{len(own)} metrics"
        yield [*map(str, names), metric, *[""] * (len(HEAD) - 4)]


def _cells(row: Mapping[Any, Any]) -> list[str]:
    names = [row[name] for name in ("status", "measurement", "model", "metric")]
    values = ["NaN" if pd.isna(row[side]) else f"{100 * row[side]:.2f}" for side in ("old", "new")]
    counts = dict.fromkeys((row["old_seeds"], row["new_seeds"]))
    seeds = f"{' and '.join(map(str, counts))} seed{'s' * (max(counts) > 1)}"
    basis = f"{PAIRED}, {seeds}" if row["basis"] == PAIRED else f"unpaired, {row['basis']}, {seeds}"
    if pd.isna(row["difference"]):
        return [*names, *values, "", "", "", basis]
    points, low, high = (f"{100 * row[name]:+.3g}" for name in ("difference", "ci_low", "ci_high"))
    ratio = "∞" if np.isinf(row["ratio"]) else f"{row['ratio']:.2f}"
    return [*names, *values, f"{points} [{low}, {high}]", f"{100 * row['tolerance']:.3g}", ratio, basis]


def _notes(comparison: Comparison) -> list[str]:
    rows = comparison.rows
    moved = rows["difference"].abs() > ROUNDING
    blind = int((rows["tolerance"] >= np.maximum(rows["old"], 1 - rows["old"])).sum())
    measured = rows.loc[rows["difference"].notna(), "measurement"].nunique()
    unknown = "; ".join(comparison.unknown) if len(comparison.unknown) < measured else "any measurement"
    return [
        _summary(rows),
        *_listed(CONTRADICTED, comparison.contradictions),
        *[INTERVALS] * bool(moved.any()),
        *[TOLERANCE] * bool((rows["tolerance"] > 0).any()),
        *[BLIND.format(blind)] * bool(blind),
        *[UNKNOWN.format(unknown)] * bool(comparison.unknown),
        *[UNPAIRED] * bool((moved & (rows["basis"] != PAIRED)).any()),
        *[f"The new results have fewer training seeds: {', '.join(comparison.fewer)}."] * bool(comparison.fewer),
        *_listed("Settings, code, versions, machine and failures that differ or are unknown:", comparison.environment),
    ]


def _listed(heading: str, items: Sequence[str]) -> list[str]:
    return ["\n".join([heading, "", *(f"- {item}" for item in items)])] * bool(items)


def _summary(rows: pd.DataFrame) -> str:
    """Return how many rows were compared, what became of them, and the largest move."""
    counts = rows["status"].value_counts()
    said = {MOVED: "moved", MISSING: "missing", NEW: "new", NAN: "NaN on one side"}
    both = int((rows["old_seeds"] * rows["new_seeds"] > 0).sum())
    rest = "".join(f", {counts[status]} {words}" for status, words in said.items() if status in counts)
    counted = f"{both} rows compared, {counts.get(WITHIN, 0)} within their tolerance{rest}."
    moved = rows[rows["difference"].abs() > ROUNDING]
    if moved.empty:
        return f"{counted} No rate moved at all."
    row = _ranked(moved).iloc[0]
    where = f"{row['measurement']}, {row['model']}, {row['metric']}: {100 * row['difference']:+.3g} points"
    if row["tolerance"] == 0:
        return f"{counted} Largest move where none is tolerated: {where}."
    return f"{counted} Largest move: {row['ratio']:.2f} of its tolerance ({where})."
