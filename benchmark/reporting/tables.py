"""The identity table, for programs (rates as fractions, no dates and no durations) and for reading."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import pandas as pd

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.evaluation.statistics import SEEDS_FOR_T, covers, means_and_intervals, t_interval
from benchmark.reporting.gaps import COMPLETE, NONE, Footnotes, Gaps, dashes
from benchmark.reporting.order import CONTROLS, in_order, place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.results.rates import COPIED, LEADING, OF_TARGETS, RATES, TARGETS
from benchmark.results.records import Measured, Trained

Cells = Callable[[Mapping[Hashable, Any]], list[object]]  # of a row of a table

KEYS = ["profile", "model", "split", "nc"]
TERMS = {  # columns, and what they are of `Trained`
    "parameters": "parameters",
    "images_seen": "images",
    "warm_up_steps": "warm_up_steps",
    "batch_size": "batch_size",
    "train_images": "auxiliary_images",
}
COMPARED = [  # columns of identity.csv; the others are in identity_diagnostics.csv
    *KEYS,
    *(f"{rate}{end}" for rate in RATES for end in ("", "_ci_low", "_ci_high")),
    *("n_seeds", "n_draws", "parameters", "macs", "images_seen", "warm_up_steps"),
]
SEEN = ["sharpness", "kid"]  # of QUALITY_COLUMNS, those that get an interval
OF_QUALITY = [f"{name}{end}" for name in SEEN for end in ("", "_ci_low", "_ci_high")] + ["kid_sd"]
HEADS = {
    "joint_cross": "joint on other views",
    "joint": "joint",
    "top1": "top-1",
    "top5": "top-5",
    "view": "view",
    "view_cross": "view, other than the input's",
    "copy_rate_pixels": "copy rate (pixels)",
    "copy_rate_features": "copy rate (features)",
    "sharpness": "sharpness, of real images'",
}
JOINT = (
    "Joint on other views, the leading rate, counts a generated image only if the KNN's first class is the "
    "input's identity and the independent classifier sees the target view, over target views other than the input's "
    "own; joint is the same over all target views."
)
FEW = "Top-5 is n/a with ten classes or fewer, where guessing scores half or more."
WARM_UP = (
    "Warm-up: before adversarial training the discriminator was trained for the stated number of steps on real images "
    "of the training identities, a deviation from the papers that only short profiles make; Two-Step trains its "
    "encoder S first, as in its paper; other models have none."
)
RANDOM = (
    "Split: the paper's random one alone. A grouped one needs a group of two images or more, and as many identities of "
    "two groups as the smallest N_c."
)
GROUPED = (
    "Split: random is the paper's; grouped leaves no year folder or session on both sides of the KNN, "
    "and excludes the identities with a single one"
)
COPIES = (
    "Same: the target is the view of the input; cross: another view, so joint cross is joint on other views. Copy "
    "rate: share of the cross-view outputs that lie closer to the input than to every real image of that identity in "
    "the target view, by pixels (L1) and by identity features. A true picture can count as a copy too, if it has the "
    "colours and the light of its input; on rendered cars the rate of `oracle` says how often."
)
QUALITY = (
    "Sharpness: variance of the Laplacian of the luminance, as a share of that of real images from the target view; "
    "noise and artefacts count like detail. KID: how far the identity features of generated images lie from those of "
    "real ones (kernel distance). Real images are split in halves: what is made from the one half is "
    "compared with the other, with as many images of each view. The row of `real` compares real images with real ones "
    "and shows the KID of no difference; the standard deviation is over the splits. KID depends on this run's own "
    "network, so it compares rows of this run alone; both say how images look, and nothing of identity. In brackets "
    f"here: 95 % t intervals over training seeds, where there are {SEEDS_FOR_T} or more."
)
BY_TARGET = (
    "The two are not directly comparable: grouped draws other classes, and where these have few groups its KNN learns "
    "from fewer images, so part of a drop from random to grouped is the smaller training part and not a leak."
)
ELSEWHERE = "Made elsewhere, so that size, budget and training data are not known here"

SIZES = ["connection size", "parameters", "MACs, millions"]
OPERATIONS = "MACs: multiply-accumulates of one generated image, which equal parameters do not make equal."

BESIDE = ("joint", "top1", "view")
BESIDE_JOINT = (
    "Joint, identity (top-1) and view stand beside it for the smallest number of classes. The split is the paper's "
    "random one."
)
OWN_VIEW = "`real` has a dash, as it shows the view of the input alone."


def stated(trained: Trained) -> dict[str, int | None]:
    """Return the TERMS as a row of a table states them; a control has none."""
    return {term: None if trained.images is None else getattr(trained, name) for term, name in TERMS.items()}


def identity_table(
    measured: Iterable[Measured],
    profile: str,
    models: pd.DataFrame | None = None,
    quality: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row for each (model, split, nc): the columns COMPARED, and those of `diagnostics`.

    The columns TERMS say how large the generator is and what it was trained with; `macs` are the multiply-accumulates
    of one generated image. Every rate of ALL_RATES has columns `<rate>`, `<rate>_ci_low` and `<rate>_ci_high`.
    So have `sharpness` and `kid`, which are of all standard images and the same in every row of a model: means over
    the training seeds, with a t interval where there are three seeds or more; `kid_sd` is the mean of its spread.

    Args:
        measured: the measurements.
        profile: name of the run.
        models: the stored sizes of the models, of which `macs` is taken; missing for a model that is not in them.
        quality: the stored QUALITY_COLUMNS; missing likewise.
    """
    operations = {} if models is None else dict(zip(models["model"], models["macs"], strict=True))
    by_model = {} if quality is None else {str(model): own for model, own in quality.groupby("model")}
    rows = []
    for each in sorted(measured, key=lambda each: (each.split, each.nc)):  # those of the same images one after another
        row: dict[str, object] = dict(zip(KEYS, (profile, each.model, each.split, each.nc), strict=True))
        row |= {"connection_size": each.trained.map, **stated(each.trained), "macs": operations.get(each.model)}
        for rate, found in means_and_intervals(each.totals).iterrows():
            row |= {str(rate): found["mean"], f"{rate}_ci_low": found["low"], f"{rate}_ci_high": found["high"]}
        counted = {f"n_{column}s": each.outcomes[column].nunique() for column in ("seed", "draw", "image")}
        seen = dict.fromkeys(OF_QUALITY) | (_quality(by_model[each.model]) if each.model in by_model else {})
        rows.append(row | seen | counted | {"n_excluded": each.left_out})
    table = pd.DataFrame(rows).astype(dict.fromkeys([*TERMS, "macs"], "Int64") | dict.fromkeys(OF_QUALITY, float))
    return in_order(table, "model", "split", "nc", elsewhere=elsewhere(table))


def _quality(quality: pd.DataFrame) -> dict[str, float]:
    """Return the OF_QUALITY of one model."""
    found: dict[str, float] = dict(quality[[*SEEN, "kid_sd"]].mean())
    if len(quality) >= SEEDS_FOR_T:
        for end, values in t_interval(quality[SEEN]).items():
            found |= {f"{name}_ci_{end}": float(value) for name, value in values.items()}
    return found


def elsewhere(table: pd.DataFrame) -> list[str]:
    """Return the rows whose pictures were made elsewhere: no controls, and of no known training run."""
    if "images_seen" not in table:
        return []
    models = table.loc[table["images_seen"].isna(), "model"]
    return sorted(set(models) - set(CONTROLS))


def diagnostics(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the identity table that say how its numbers came about, and no comparison needs.

    These are the rates for the input's own view and, separately, for others, the copy rates, what was excluded, and the
    further terms of the training run.
    """
    return table[[*KEYS, "n_seeds", *(column for column in table if column not in COMPARED)]]


def random_split(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the paper's split."""
    return table[table["split"] == "random"]


def identity_sheet(table: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the identity table for reading: percent with intervals, what the intervals cover, and what is missing."""
    head = ["model", *SIZES, "warm-up steps", *(f"{HEADS[rate]} %" for rate in RATES), "seeds"]

    def cells(row: Mapping[Hashable, Any]) -> list[object]:
        return [*sizes(row), count(row["warm_up_steps"]), *(percent(row, rate) for rate in RATES), row["n_seeds"]]

    title, footnotes = f"Identity preservation, profile {table['profile'].iloc[0]}", Footnotes()
    grids = _grids(table, head, cells, gaps, footnotes)
    few = [FEW] * bool(table["top5"].isna().any())
    return Sheet(title, grids, [*footnotes.notes, joint(table), *few, f"{notes(table)} {OPERATIONS} {_splits(table)}"])


def _grids(table: pd.DataFrame, head: list[str], cells: Cells, gaps: Gaps, footnotes: Footnotes) -> list[Grid]:
    """Return a grid for each split and N_c, the paper's split first; `cells` returns what stands behind the name."""
    measurements = table.sort_values(["split", "nc"], ascending=[False, True], kind="stable")
    outside, grids = elsewhere(table), []
    for (split, nc), rows in measurements.groupby(["split", "nc"], sort=False):
        part = str(split), int(str(nc))
        found = [(row["model"], cells(row)) for row in rows.to_dict("records")]
        found += [(model, dashes(head)) for model in gaps.missing(part)]
        found.sort(key=lambda each: place(each[0], outside))
        lines = [[footnotes.mark(model, gaps.footnote(model, part)), *texts] for model, texts in found]
        grids.append(Grid(head, lines, f"{split} split, {nc} classes"))
    return grids


def _splits(table: pd.DataFrame) -> str:
    """Return in words what the splits are, which rows the grouped one lacks, and why."""
    grouped = table[table["split"] == "grouped"]
    if grouped.empty:
        return RANDOM
    missing = ", ".join(map(str, sorted(set(table["nc"]) - set(grouped["nc"]))))
    none = f"; none for N_c {missing}, for which too few identities are left" if missing else ""
    return f"{GROUPED} ({grouped['n_excluded'].max()} here{none}). {BY_TARGET}"


def diagnostics_sheet(table: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the rates for the input's own view and, separately, for others, and the copy rates, for reading."""
    rates = [*(f"{rate}_{target}" for rate in OF_TARGETS for target in TARGETS), *COPIED.values()]
    head = ["model", *(f"{HEADS[rate]} {target} %" for rate in OF_TARGETS for target in TARGETS)]
    head += [*(f"{HEADS[rate]} %" for rate in COPIED.values()), "seeds"]

    def cells(row: Mapping[Hashable, Any]) -> list[object]:
        return [*(percent(row, rate) for rate in rates), row["n_seeds"]]

    title = f"Same-view and cross-view targets, and copies, profile {table['profile'].iloc[0]}"
    footnotes = Footnotes()
    grids, said = _grids(table, head, cells, gaps, footnotes), [COPIES]
    measured = table.drop_duplicates("model").dropna(subset=SEEN, how="all").to_dict("records")
    if measured:
        lines = [
            [
                *(row["model"], _with_interval(row, "sharpness", 100, 1), _with_interval(row, "kid", 1, 3)),
                f"{row['kid_sd']:.3f}",
            ]
            for row in measured
        ]
        grids.append(Grid(["model", "sharpness %", "KID", "standard deviation"], lines, "Sharpness and KID"))
        said.append(QUALITY)
    return Sheet(title, grids, [*footnotes.notes, *said, f"{notes(table)} {_splits(table)}"])


def _with_interval(row: Mapping[Hashable, Any], name: str, factor: int, digits: int) -> str:
    """Return a number of a row times a factor, with its interval where it has one."""
    mean, low, high = (f"{factor * row[f'{name}{end}']:z.{digits}f}" for end in ("", "_ci_low", "_ci_high"))
    return "n/a" if mean == "nan" else mean if low == "nan" else f"{mean} [{low}, {high}]"


def headline(table: pd.DataFrame, gaps: Gaps = COMPLETE) -> Sheet:
    """Return joint on other views of models and of controls for each number of classes.

    It is the first table of the report.

    Args:
        table: rows of `identity_table`.
        gaps: what is missing in them.
    """
    table = random_split(table)
    counts = sorted(table["nc"].unique())
    columns = [(LEADING, nc) for nc in counts] + [(rate, counts[0]) for rate in BESIDE]
    head = [*(f"{HEADS[rate]} %, {nc} classes" for rate, nc in columns), "warm-up steps", "seeds"]
    parts, footnotes = [("random", nc) for nc in counts], Footnotes()
    found = {(row["model"], row["nc"]): row for row in table.to_dict("records")}
    ends = table.groupby("model")[["warm_up_steps", "n_seeds"]].max()

    def line(model: str) -> list[object]:
        cells: list[object] = [footnotes.mark(model, gaps.footnote(model, *parts))]
        for rate, nc in columns:
            row = found.get((model, nc), {rate: None})
            cells.append(NONE if pd.isna(row[rate]) else percent(row, rate))
        return [*cells, count(ends["warm_up_steps"].get(model)), ends["n_seeds"].get(model, NONE)]

    names, outside = {*table["model"], *gaps.missing(*parts)}, elsewhere(table)
    controls = names & set(OF_IDENTITY)
    kinds = (("model", "Models", names - controls), ("control", "Controls, which are no model", controls))
    grids = []
    for kind, title, own in kinds:
        if own:
            grids.append(
                Grid(
                    [kind, *head], [line(model) for model in sorted(own, key=lambda each: place(each, outside))], title
                )
            )
    said = [*footnotes.notes, " ".join([joint(table), BESIDE_JOINT, *[OWN_VIEW] * ("real" in names)]), notes(table)]
    explained = "; ".join(f"{name}: {words}" for name, words in OF_IDENTITY.items() if name in names)
    said += [f"Controls: {explained}."] * bool(explained)
    return Sheet(f"Joint on other views, profile {table['profile'].iloc[0]}", grids, said)


def joint(table: pd.DataFrame) -> str:
    """Return in words what joint on other views is, and what a copy has there with the smallest number of classes."""
    copies = random_split(table[table["model"] == "copy"]).dropna(subset=[LEADING]).sort_values("nc")
    said = (
        f" With {row['nc']} classes a copy of the input scores {100 * row[LEADING]:.1f} % on joint on other views, and "
        f"{100 * row['joint']:.1f} % on joint."
        for row in copies.head(1).to_dict("records")
    )
    return JOINT + "".join(said)


def notes(table: pd.DataFrame) -> str:
    """Return in words what the intervals of a table cover, and the budget of the models in it."""
    return f"In brackets: {intervals(table['n_seeds'], covers(SEEDS_FOR_T), covers(1))}. {budget(table)}"


def intervals(seeds: pd.Series, many: str, few: str) -> str:
    """Return which interval the rows have: `many` from SEEDS_FOR_T training seeds on, `few` below."""
    if seeds.min() >= SEEDS_FOR_T or seeds.max() < SEEDS_FOR_T:
        return many if seeds.min() >= SEEDS_FOR_T else few
    return f"rows with {SEEDS_FOR_T} training seeds or more: {many}; rows with fewer: {few}"


def budget(table: pd.DataFrame) -> str:
    """Return in words what the models of a table were trained with."""
    batches = (
        f"{row.images_seen:,} images in batches of {row.batch_size}, drawn from {row.train_images:,}"
        for row in table.dropna(subset=["images_seen"]).itertuples()
    )
    budgets = " or ".join(dict.fromkeys(batches)) or "none of these rows was trained here"
    warm_up = f" {WARM_UP}" if (table["warm_up_steps"] > 0).any() else ""
    outside = elsewhere(table)
    unknown = f" {ELSEWHERE}: {', '.join(outside)}." if outside else ""
    return f"Budget, in real images used by generator updates: {budgets}.{warm_up}{unknown}"


def count(number: object) -> str:
    """Return a number with separators, `-` if there is none."""
    return "-" if pd.isna(number) else f"{number:,}"  # type: ignore[call-overload]


def sizes(row: Mapping[Hashable, Any]) -> list[object]:
    """Return the cells SIZES of a row, each `-` where it is not known."""
    operations = row["macs"]
    millions = "-" if pd.isna(operations) else f"{operations / 1e6:,.1f}"
    return [row["connection_size"], count(row["parameters"]), millions]


def percent(row: Mapping[Hashable, object], rate: str) -> str:
    """Return a rate of a row in percent with its interval, `n/a` if it is not a number."""
    values = [row[rate], row[f"{rate}_ci_low"], row[f"{rate}_ci_high"]]
    if any(pd.isna(value) for value in values):  # type: ignore[call-overload]
        return "n/a"
    mean, low, high = (f"{100 * float(str(value)):.1f}" for value in values)
    return f"{mean} [{low}, {high}]"
