"""The paper's exhibits, made of a run: Table 1, Table 2, and Fig. 4 or 5; the printed numbers beside those measured."""

from collections.abc import Hashable, Sequence
from functools import cache
from typing import Any

import pandas as pd

from benchmark.config.settings import Data
from benchmark.evaluation.statistics import SEEDS_FOR_T, covers
from benchmark.reporting import fewshot, tables
from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps, dashes
from benchmark.reporting.order import place
from benchmark.reporting.references import FACES, REPRODUCED, column, counterpart, load, no_faces, setting_notes
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS, KEYS, count, intervals, joint, notes, percent, random_split
from benchmark.results.rates import ACCURACY, RATES
from benchmark.results.records import Facts, Part
from models.registry import REFERENCE, TABLE_2

SHOWN = [rate for rate in RATES if rate != "view"]  # of the ablation
MEASURED = ["measured", "measured_ci_low", "measured_ci_high", "n_seeds"]
SIZES = {"table_1": ["way", "shot"], "table_2": ["nc"]}  # what a number is of, beside model and metric


def ablation_table(identity: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the identity table that Table 2 has, in its order; its split is the random one.

    `row` counts from 1 as in the paper and `paper` is its name for the version. Widths are the same in all rows, so
    every part adds its parameters.
    """
    order = {model: n for n, model in enumerate(TABLE_2, 1)}
    rows = random_split(identity[identity["model"].isin(TABLE_2)])
    numbered = rows.assign(row=rows["model"].map(order), paper=rows["model"].map(TABLE_2))
    others = [column for column in identity.columns if column not in KEYS[:2]]
    return numbered[["profile", "row", "model", "paper", *others]].sort_values(["row", "nc"], ignore_index=True)


def ablation_sheet(ablation: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the ablation for reading, with joint on other views, joint and the columns of Table 2, for every N_c.

    What has failed has a dash, what was not to be measured `n/a`.
    """
    sizes = sorted(ablation["nc"].unique())
    parts: list[Part] = [("random", nc) for nc in sizes] or list(gaps.there)
    rates = [f"{nc}c {HEADS[rate]} %" for nc in sizes for rate in SHOWN]
    heads = ["version", *tables.SIZES, "warm-up steps", *rates, "seeds"]
    found = {model: dashes(heads) for model in gaps.missing(*parts)}
    for name, version in ablation.groupby("model"):
        model, first = str(name), version.to_dict("records")[0]
        measured = version.set_index("nc", drop=False).to_dict("index")
        absent = {nc: NONE if gaps.footnote(model, ("random", nc)) else "n/a" for nc in sizes}
        cells = [percent(measured[nc], rate) if nc in measured else absent[nc] for nc in sizes for rate in SHOWN]
        counts = version.set_index("nc")["n_seeds"]
        alike = counts.nunique() == 1
        seeds = str(counts.iloc[0]) if alike else ", ".join(f"{number} ({nc}c)" for nc, number in counts.items())
        found[model] = [*tables.sizes(first), count(first["warm_up_steps"]), *cells, seeds]
    shown, footnotes = {model: paper for model, paper in TABLE_2.items() if model in found}, Footnotes()
    lines = [[footnotes.mark(paper, gaps.footnote(model, *parts)), *found[model]] for model, paper in shown.items()]
    title, said = "Ablation", ["No version of Table 2 is measured."]
    if not ablation.empty:
        title = f"Ablation (Table 2), profile {ablation['profile'].iloc[0]}"
        said = [joint(ablation), f"{notes(ablation)} {tables.OPERATIONS}"]
    return Sheet(title, [Grid(heads, lines)] * bool(lines), [*footnotes.notes, *said])


def curves_table(table: pd.DataFrame, data: Data) -> tuple[str, pd.DataFrame]:
    """Return the name of a figure of accuracy over N_c and what is drawn in it.

    It is the paper's Fig. 5 for its nine views, otherwise Fig. 4; own images have one that is none of the paper's.

    These are the rates of the compared methods and of the controls, in the paper's split.
    """
    rows = random_split(table)
    shown = rows[~rows["model"].isin(set(TABLE_2) - {REFERENCE})]
    columns = [f"{rate}{end}" for rate in RATES for end in ("", "_ci_low", "_ci_high")]
    name = f"paper/figure_{5 if counterpart(data) == FACES else 4}"
    name = "figures/accuracy_over_nc" if data.own else name
    return name, shown[["profile", "model", "nc", *columns, "n_seeds"]].reset_index(drop=True)


def curves_sheet(curves: pd.DataFrame, facts: Facts, gaps: Gaps = COMPLETE, elsewhere: Sequence[str] = ()) -> Sheet:
    """Return what is drawn over N_c, for reading: a grid for each rate, with a column for each N_c.

    The rows `elsewhere` stand after the models, see `tables.elsewhere`.
    """
    counts = sorted(curves["nc"].unique())
    parts, footnotes = [("random", nc) for nc in counts], Footnotes()
    missing = set(gaps.missing(*parts)) - (set(TABLE_2) - {REFERENCE})
    models = sorted({*curves["model"], *missing}, key=lambda model: place(model, elsewhere))
    names = {model: footnotes.mark(model, gaps.footnote(model, *parts)) for model in models}
    head = ["model", *(f"{nc} classes, %" for nc in counts)]
    grids = []
    for rate in RATES:
        found = {(row["model"], row["nc"]): percent(row, rate) for row in curves.to_dict("records")}
        lines = [[name, *(found.get((model, nc), NONE) for nc in counts)] for model, name in names.items()]
        grids.append(Grid(head, lines, HEADS[rate]))
    covered = intervals(curves["n_seeds"], covers(SEEDS_FOR_T), covers(1))
    said = [note] if (note := no_faces(facts.settings, "figure_5", facts.counts)) else []
    title = f"Accuracy over the number of classes, profile {facts.name}"
    return Sheet(title, grids, [*footnotes.notes, *said, f"In brackets: {covered}."])


def values(exhibit: str) -> pd.DataFrame:
    """Return the printed numbers of `table_1` or `table_2` as fractions, one row for each.

    Columns: row (from 1), place in the paper, the paper's name, model, `way` and `shot` or `nc`, metric, published.
    """
    shown, ways = load().exhibits[exhibit], load().settings["fewshot.ways"].compcars
    rows = []
    for n, row in enumerate(shown.rows, 1):
        for metric, numbers in row.numbers.items():
            for size, number in numbers.items():
                of = {"nc": size} if exhibit == "table_2" else {"way": ways, "shot": size}
                named = {"row": n, "place": f"{shown.name}, row {n}", "paper": row.paper, "model": row.model}
                rows.append({**named, **of, "metric": metric, "published": round(number / 100, 4)})
    return pd.DataFrame(rows)


@cache
def printed(exhibit: str) -> dict[tuple[Any, ...], float]:
    """Return the numbers of `values` by model, metric, and `nc` or `way` and `shot`; none for a figure."""
    if exhibit not in SIZES:
        return {}
    table = values(exhibit).set_index(["model", "metric", *SIZES[exhibit]])
    return dict(zip(table.index.to_flat_index(), table["published"].astype(float), strict=True))


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
    return _beside("table_1", recognised, [ACCURACY], facts)


def table_2(identity: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Return the numbers of Table 2 like `table_1`, beside the rows of `tables.identity_table` in the paper's split."""
    return _beside("table_2", random_split(identity), ["top1", "top5"], facts)


def _beside(exhibit: str, own: pd.DataFrame, metrics: list[str], facts: Facts) -> pd.DataFrame:
    published, keys = values(exhibit), ["model", *SIZES[exhibit]]
    parts = []
    for metric in metrics:
        renamed = {f"{metric}{end}": f"measured{end}" for end in ("", "_ci_low", "_ci_high")}
        parts.append(own[[*keys, *renamed, "n_seeds"]].rename(columns=renamed).assign(metric=metric))
    measured = pd.concat(parts).astype(dict.fromkeys(SIZES[exhibit], int))
    table = published.merge(measured, how="left", on=[*keys, "metric"])
    table = table.astype(dict.fromkeys(MEASURED[:3], float) | {"n_seeds": "Int64"})
    table = table.assign(
        profile=facts.name,
        difference=table["measured"] - table["published"],
        reproduction=column(facts.settings, exhibit, facts.counts) == REPRODUCED,
    )
    return table[["profile", *published, *MEASURED, "difference", "reproduction"]]


def sheet_1(table: pd.DataFrame, facts: Facts, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the table of `table_1` for reading, one grid for each number of shots."""
    return _sheet("table_1", table, facts, gaps, fewshot.OVER_SEEDS, fewshot.OVER_IMAGES)


def sheet_2(table: pd.DataFrame, facts: Facts, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the table of `table_2` for reading, one grid for each N_c."""
    return _sheet("table_2", table, facts, gaps, covers(SEEDS_FOR_T), covers(1))


def _sheet(exhibit: str, table: pd.DataFrame, facts: Facts, gaps: Gaps, many: str, few: str) -> Sheet:
    """Return a table for reading, with a line for each row of the paper's table and three columns for each metric.

    `many` and `few` say what an interval over many or few training seeds covers.
    """
    shown, ours = load().exhibits[exhibit], column(facts.settings, exhibit, facts.counts)
    footnotes, grids = Footnotes(), []
    for _, grid in table.groupby(SIZES[exhibit]):
        metrics = [HEADS.get(metric, metric) for metric in grid["metric"].unique()]
        kinds = ("published %", f"{ours} %", "difference, points")
        head = ["in the paper", "model", *(f"{name}: {kind}" for name in metrics for kind in kinds), "seeds"]
        lines = [_line(own.to_dict("records"), gaps, footnotes) for _, own in grid.groupby("row")]
        first = grid.iloc[0]
        size = f"{first['nc']} classes" if "nc" in first else f"{first['way']}-way {first['shot']}-shot"
        grids.append(Grid(head, lines, size))
    source = f"Published: {load().paper.citation}, {shown.name}: {shown.shows}. It gives no intervals."
    seeds = table["n_seeds"].dropna()
    said = "None of these rows is measured here." if seeds.empty else f"In brackets: {intervals(seeds, many, few)}."
    title = f"{shown.name}, published and {ours}, profile {facts.name}"
    return Sheet(
        title, grids, [*footnotes.notes, *setting_notes(facts.settings, exhibit, facts.counts), f"{source} {said}"]
    )


def _line(rows: list[dict[Hashable, Any]], gaps: Gaps, footnotes: Footnotes) -> list[object]:
    """Return the cells of one row of the paper's table, of which there is a row for each metric."""
    first = rows[0]
    model, part = first["model"], ("random", first["nc"]) if "nc" in first else None
    absent = model in gaps.missing(part)  # should have been measured
    cells: list[object] = [first["paper"], footnotes.mark(model, gaps.footnote(model, part))]
    for row in rows:
        points = "n/a" if pd.isna(row["difference"]) else f"{100 * row['difference']:+z.1f}"
        measured = [NONE, NONE] if absent else [percent(row, "measured"), points]
        cells += [f"{100 * row['published']:.2f}", *measured]
    return [*cells, NONE if pd.isna(first["n_seeds"]) else first["n_seeds"]]
