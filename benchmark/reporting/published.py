"""The numbers of the paper's two tables, and beside them those of a run."""

from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any

import pandas as pd

from benchmark.evaluation.statistics import SEEDS_FOR_T, covers
from benchmark.reporting import fewshot
from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps
from benchmark.reporting.references import load
from benchmark.reporting.setting import REPRODUCED, column, setting_notes
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, intervals, percent, random_split
from benchmark.results.rates import ACCURACY
from benchmark.results.records import Facts

MEASURED = ["measured", "measured_ci_low", "measured_ci_high", "n_seeds"]
SIZES = {"table_1": ["way", "shot"], "table_2": ["nc"]}  # what a number is of, beside model and metric


def values(exhibit: str) -> pd.DataFrame:
    """Return the printed numbers of `table_1` or `table_2` as fractions, one row for each.

    Columns: row (from 1), place in the paper, the paper's name, model, `way` and `shot` or `nc`, metric, published.
    """
    shown = load().exhibits[exhibit]
    rows = [
        {"row": n, "place": f"{shown.name}, row {n}", "paper": row.paper, "model": row.model}
        | _size(exhibit, size)
        | {"metric": metric, "published": round(number / 100, 4)}
        for n, row in enumerate(shown.rows, 1)
        for metric, numbers in row.numbers.items()
        for size, number in numbers.items()
    ]
    return pd.DataFrame(rows)


@cache
def printed(exhibit: str) -> dict[tuple[Any, ...], float]:
    """Return the numbers of `values` by model, metric, and `nc` or `way` and `shot`; none for a figure."""
    if exhibit not in SIZES:
        return {}
    table = values(exhibit).set_index(["model", "metric", *SIZES[exhibit]])
    return dict(zip(table.index.to_flat_index(), table["published"].astype(float), strict=True))


def _size(exhibit: str, size: int) -> dict[str, Any]:
    return {"nc": size} if exhibit == "table_2" else {"way": load().settings["fewshot.ways"].compcars, "shot": size}


def table_1(recognised: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Return the numbers of Table 1, and beside each what the run has for as many ways and shots.

    Args:
        recognised: rows of `fewshot.fewshot_table`.
        facts: where they come from.

    Returns:
        The columns of `values`, then the measured rate with its interval and its number of training seeds, all missing
        where it was not measured, `difference` (measured less published) and `reproduction`: whether the setting is
        the paper's in all that the paper states.
    """
    return _beside("table_1", _long(recognised, "table_1", [ACCURACY]), facts)


def table_2(identity: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Return the numbers of Table 2 like `table_1`, beside the rows of `tables.identity_table` in the paper's split."""
    return _beside("table_2", _long(random_split(identity), "table_2", ["top1", "top5"]), facts)


def _long(table: pd.DataFrame, exhibit: str, metrics: list[str]) -> pd.DataFrame:
    """Return one row for each model, size and metric, with the columns MEASURED."""
    keys = ["model", *SIZES[exhibit]]
    parts = []
    for metric in metrics:
        renamed = {f"{metric}{end}": f"measured{end}" for end in ("", "_ci_low", "_ci_high")}
        parts.append(table[[*keys, *renamed, "n_seeds"]].rename(columns=renamed).assign(metric=metric))
    return pd.concat(parts)


def _beside(exhibit: str, measured: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    published = values(exhibit)
    keys = ["model", *SIZES[exhibit], "metric"]
    whole = dict.fromkeys(SIZES[exhibit], int)
    table = published.merge(measured.astype(whole), how="left", on=keys)
    table = table.astype(dict.fromkeys(MEASURED[:3], float) | {"n_seeds": "Int64"})
    return pd.DataFrame(
        table.assign(
            profile=facts.name,
            difference=table["measured"] - table["published"],
            reproduction=column(facts.settings, exhibit) == REPRODUCED,
        )[["profile", *published, *MEASURED, "difference", "reproduction"]]
    )


def sheet_1(table: pd.DataFrame, facts: Facts, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the table of `table_1` for reading, one grid for each number of shots."""
    return _sheet("table_1", table, facts, gaps, fewshot.OVER_SEEDS, fewshot.OVER_IMAGES)


def sheet_2(table: pd.DataFrame, facts: Facts, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the table of `table_2` for reading, one grid for each N_c."""
    return _sheet("table_2", table, facts, gaps, covers(SEEDS_FOR_T), covers(1))


def _sheet(exhibit: str, table: pd.DataFrame, facts: Facts, gaps: Gaps, many: str, few: str) -> Sheet:
    """Return a table for reading; `many` and `few` say what an interval over many or few training seeds covers."""
    shown, ours = load().exhibits[exhibit], column(facts.settings, exhibit)
    footnotes = Footnotes()
    grids = [_grid(part, ours, gaps, footnotes) for _, part in table.groupby(SIZES[exhibit])]
    source = f"Published: {load().paper.citation}, {shown.name}: {shown.shows}. It gives no intervals."
    seeds = table["n_seeds"].dropna()
    said = "None of these rows is measured here." if seeds.empty else f"In brackets: {intervals(seeds, many, few)}."
    title = f"{shown.name}, published and {ours}, profile {facts.name}"
    return Sheet(title, grids, [*footnotes.notes, *setting_notes(facts.settings, exhibit), f"{source} {said}"])


def _grid(part: pd.DataFrame, ours: str, gaps: Gaps, footnotes: Footnotes) -> Grid:
    """Return a grid with a line for each row of the paper's table, and three columns for each metric."""
    metrics = {metric: HEADS.get(metric, metric) for metric in part["metric"].unique()}
    kinds = ("published %", f"{ours} %", "difference, points")
    head = ["in the paper", "model", *(f"{name}: {kind}" for name in metrics.values() for kind in kinds), "seeds"]
    return Grid(head, [_line(own, gaps, footnotes) for _, own in part.groupby("row")], _title(part.iloc[0]))


def _line(own: pd.DataFrame, gaps: Gaps, footnotes: Footnotes) -> list[object]:
    rows = own.to_dict("records")
    model, part = rows[0]["model"], ("random", rows[0]["nc"]) if "nc" in rows[0] else None
    absent = model in gaps.missing(part)
    cells = [text for row in rows for text in (f"{100 * row['published']:.2f}", *_measured(row, absent))]
    seeds = NONE if pd.isna(rows[0]["n_seeds"]) else rows[0]["n_seeds"]
    return [rows[0]["paper"], footnotes.mark(model, gaps.footnote(model, part)), *cells, seeds]


def _measured(row: Mapping[Hashable, Any], absent: bool) -> list[str]:
    """Return what stands beside a published number; `absent` says that it should have been measured."""
    return [NONE, NONE] if absent else [percent(row, "measured"), _points(row)]


def _points(row: Mapping[Hashable, Any]) -> str:
    return "n/a" if pd.isna(row["difference"]) else f"{100 * row['difference']:+z.1f}"


def _title(row: "pd.Series[Any]") -> str:
    return f"{row['nc']} classes" if "nc" in row else f"{row['way']}-way {row['shot']}-shot"
