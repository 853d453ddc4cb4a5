"""The few-shot table (paper, Table 1): how well real images are recognised after a training on a few, or on more."""

from collections.abc import Iterable

import pandas as pd

from benchmark.evaluation.controls import OF_FEWSHOT
from benchmark.evaluation.statistics import means_and_intervals
from benchmark.reporting.differences import Family
from benchmark.reporting.gaps import COMPLETE, Footnotes, Gaps, dashes, sentence
from benchmark.reporting.order import in_order, place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import TERMS, budget, count, intervals, percent, stated
from benchmark.results.rates import ACCURACY
from benchmark.results.records import Recognised
from benchmark.results.rows import DIGITS
from benchmark.settings import FewShot

KEYS = ["profile", "model", "way", "shot"]
FAMILY = ("metric", "way", "shot")
START = "no_augmentation"
COUNTS = ["n_seeds", "n_episodes", "n_images"]
COLUMNS = [*KEYS, ACCURACY, f"{ACCURACY}_ci_low", f"{ACCURACY}_ci_high", *COUNTS]
COLUMNS += ["augmentation", "steps", *TERMS, "connection_size"]


OVER_SEEDS = (
    "95 % t interval over training seeds, of generator and classifier together; the draw of classes and images is not "
    "in it"
)
OVER_IMAGES = (
    "95 % bootstrap interval over classes and the test images in them, for the classifiers at hand; the draw of the "
    "training images and the luck of training, the generator's and the classifier's, are not in it"
)


def fewshot_table(recognised: Iterable[Recognised], settings: FewShot, profile: str) -> pd.DataFrame:
    """Return one row for each (model, way, shot).

    The columns TERMS say how large the generator is and what it was trained with; `augmentation` is the number of
    images added for each real one, `steps` the optimiser steps of each classifier. `accuracy` has columns for its
    interval.
    """
    rows = [_row(each, shot, settings, profile) for each in recognised for shot in settings.shots]
    table = pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(TERMS, "Int64"))
    return in_order(table, "model", "shot")


def _row(each: Recognised, shot: int, settings: FewShot, profile: str) -> dict[str, object]:
    keys = (profile, each.model, settings.ways, shot)
    added = 0 if each.model in ALONE else settings.generated
    terms = stated(each.trained) | {"connection_size": each.trained.map, "augmentation": added, "steps": settings.steps}
    mean, low, high = means_and_intervals(each.totals(shot)).loc[ACCURACY]
    rates = {ACCURACY: mean, f"{ACCURACY}_ci_low": low, f"{ACCURACY}_ci_high": high}
    rows = each.outcomes[each.outcomes["shots"] == shot]
    counted = {f"n_{column}s": rows[column].nunique() for column in ("seed", "episode", "image")}
    return dict(zip(KEYS, keys, strict=True)) | terms | rates | counted


ALONE = (START, "standard_augmentation")  # controls that add no image


def families(recognised: Iterable[Recognised], settings: FewShot) -> list[Family]:
    """Return the accuracies of the models and of no augmentation, a family of comparisons for each number of shots."""
    found = {each.model: each for each in recognised if each.model == START or each.model not in OF_FEWSHOT}
    return [
        (
            {"metric": ACCURACY, "way": settings.ways, "shot": shot},
            {name: each.totals(shot) for name, each in found.items()},
        )
        for shot in settings.shots
    ]


def metrics(table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the accuracies as model -> <N>way_<s>shot -> accuracy, the form `dvc metrics` shows."""
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for row in table.to_dict("records"):
        accuracy = {ACCURACY: round(row[ACCURACY], DIGITS)}
        nested.setdefault(row["model"], {})[f"{row['way']}way_{row['shot']}shot"] = accuracy
    return nested


def fewshot_sheet(table: pd.DataFrame, settings: FewShot, gaps: Gaps = COMPLETE) -> Sheet:
    """Return the few-shot table for reading, one column for each number of shots, and how it was made."""
    if table.empty:
        reasons = [
            f"{model}: {sentence(gaps.failures[model])}" for model in sorted(gaps.failures, key=place) if settings.shots
        ]
        return Sheet("Few-shot recognition", [], ["Few-shot recognition is not measured.", *reasons])
    shots = sorted(table["shot"].unique())
    head = ["training images", *(f"{settings.ways}-way {shot}-shot %" for shot in shots), "warm-up steps", "seeds"]
    found = {
        str(name): [
            *(percent(row, ACCURACY) for row in own.to_dict("records")),
            count(own["warm_up_steps"].iloc[0]),
            own["n_seeds"].iloc[0],
        ]
        for name, own in table.groupby("model")
    }
    found |= {name: dashes(head) for name in gaps.missing(None)}
    footnotes, order = Footnotes(), sorted(found, key=place)
    rows = [[footnotes.mark(label(name), gaps.footnote(name, None)), *found[name]] for name in order]
    title = f"Few-shot recognition, profile {table['profile'].iloc[0]}"
    brackets = f"In brackets: {intervals(table['n_seeds'], OVER_SEEDS, OVER_IMAGES)}."
    said = [f"{brackets} {budget(table)}", recipe(table, settings)]
    return Sheet(title, [Grid(head, rows)], [*footnotes.notes, *said])


def label(name: str) -> str:
    """Return what a row is trained on, in words."""
    said = OF_FEWSHOT.get(name)
    return f"{name}: {said}" if said else f"real and generated by {name}"


def recipe(table: pd.DataFrame, settings: FewShot) -> str:
    """Return in words how the rows were made, and which ones the settings leave out."""
    skipped = [*(name for name in OF_FEWSHOT if name not in settings.controls), *settings.skip]
    missing = [name for name in skipped if name not in set(table["model"])]
    left_out = f" This profile leaves out, for the time: {', '.join(missing)}." if missing else ""
    return (
        f"Each row: a ResNet18 from scratch, {settings.steps} steps of {settings.batch_size} images, tested on all "
        f"other real images of the {settings.ways} classes. Where images are added, they are {settings.generated} for "
        f"each real one. Draws of classes and images, the same for all rows: {settings.episodes}. Chance is "
        f"{100 / settings.ways:.1f} %.{left_out}"
    )
