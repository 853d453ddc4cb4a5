"""The few-shot table (paper, Table 1): how well real images are recognised after training on a few, or on more."""

from collections.abc import Iterable
from itertools import product

import pandas as pd

from benchmark.config.settings import FewShot
from benchmark.evaluation.controls import OF_FEWSHOT
from benchmark.evaluation.statistics import means_and_intervals
from benchmark.reporting.differences import Family
from benchmark.reporting.gaps import COMPLETE, Footnotes, Gaps, dashes, sentence
from benchmark.reporting.order import in_order, place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import TERMS, budget, count, intervals, percent, stated
from benchmark.results.rates import ACCURACY, TRAIN_ACCURACY
from benchmark.results.records import Recognised

KEYS = ["profile", "model", "way", "shot"]
FAMILY = ("metric", "way", "shot")
START = "no_augmentation"
ALONE = (START, "standard_augmentation")  # controls that add no image
COUNTS = ["n_seeds", "n_episodes", "n_images"]
COLUMNS = [*KEYS, ACCURACY, f"{ACCURACY}_ci_low", f"{ACCURACY}_ci_high", *COUNTS]
COLUMNS += ["augmentation", "steps", "real_exposures", "added_seen", TRAIN_ACCURACY, *TERMS, "connection_size"]
FITTED = 0.95  # of the real training images, which a classifier that is trained to the end recognises at least

OVER_SEEDS = (
    "95 % t interval over training seeds, of generator and classifier together; the draw of classes and images is not "
    "included"
)
OVER_IMAGES = (
    "95 % bootstrap interval over classes and the test images in them, for the classifiers at hand; the draw of the "
    "training images and the randomness of training, of generator and classifier, are not included"
)


EARLIER = (
    "Few-shot rows follow an earlier recipe, which drew real and added images from one pool: rows with added images "
    "saw each real one less often. Their difference from rows without does not show the value of the added images."
)
UNFINISHED = (
    f"Few-shot classifiers that recognise less than {100 * FITTED:.0f} % of their own real training images are not "
    "fully trained, and differences from them may show no more than that:"
)


def fewshot_table(recognised: Iterable[Recognised], settings: FewShot, profile: str) -> pd.DataFrame:
    """Return one row for each (model, way, shot).

    The columns TERMS say how large the generator is and what it was trained with; `augmentation` is the number of
    images added for each real one, `steps` the optimiser steps of each classifier; `real_exposures` says how often each
    real image is seen in the half of the batches that real ones have, `added_seen` how many of the added images are
    seen at all, and `train_accuracy` which share of its real training images a classifier recognises, the mean over
    seeds and episodes. These three are missing for outcomes without a train accuracy, which are of an earlier recipe.
    `accuracy` has columns for its interval.
    """
    rows = []
    for each, shot in product(recognised, settings.shots):
        mean, low, high = means_and_intervals(each.totals(shot)).loc[ACCURACY]
        own = each.outcomes[each.outcomes["shots"] == shot]
        added = 0 if each.model in ALONE else settings.generated
        real, drawn = settings.ways * shot, settings.steps * settings.batch_size
        fitted = own.drop_duplicates(["seed", "episode"])[TRAIN_ACCURACY].mean()
        seen = (None, None) if pd.isna(fitted) else (drawn / real, min(drawn, added * real))
        rows.append(
            dict(zip(KEYS, (profile, each.model, settings.ways, shot), strict=True))
            | {ACCURACY: mean, f"{ACCURACY}_ci_low": low, f"{ACCURACY}_ci_high": high}
            | {f"n_{column}s": own[column].nunique() for column in ("seed", "episode", "image")}
            | {"augmentation": added, "steps": settings.steps}
            | {"real_exposures": seen[0], "added_seen": seen[1], TRAIN_ACCURACY: fitted}
            | stated(each.trained)
            | {"connection_size": each.trained.map}
        )
    types = dict.fromkeys([*TERMS, "added_seen"], "Int64") | {"real_exposures": float}
    table = pd.DataFrame(rows, columns=COLUMNS).astype(types)
    return in_order(table, "model", "shot")


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
    said = [f"{brackets} {budget(table)}", recipe(table, settings), *doubts(table)]
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
        f"Each row: a ResNet18 from scratch, {settings.steps} steps, tested on all other real images of the "
        f"{settings.ways} classes.{_exposures(table, settings)} Where images are added, they are {settings.generated} "
        f"for each real one. Draws of classes and images, the same for all rows: {settings.episodes}. Chance is "
        f"{100 / settings.ways:.1f} %.{left_out}"
    )


def _exposures(table: pd.DataFrame, settings: FewShot) -> str:
    """Return in words what a batch has and how often images are seen, which an earlier recipe does not say."""
    known = table.dropna(subset="real_exposures")
    parts = []
    for shot, own in known.groupby("shot"):
        added, all_added = own["added_seen"].max(), settings.generated * settings.ways * int(str(shot))
        of_added = f", and {added:,} of {all_added:,} added ones" if added else ""
        times = f"{own['real_exposures'].iloc[0]:.3g} times"
        parts.append(f"With {shot} shots each real image is seen {times}{of_added}.")
    if not parts:
        return f" A batch has {settings.batch_size} images."
    return (
        f" A batch has {settings.batch_size} real images in every row, and as many added ones beside them where there "
        f"are any. {' '.join(parts)}"
    )


def doubts(table: pd.DataFrame) -> list[str]:
    """Return what has to be said wherever rows of a few-shot table are compared; nothing if all are trained to the end.

    A classifier that does not recognise the real images it was trained on says how far its training has come, and
    little of what was added.
    """
    if table[TRAIN_ACCURACY].isna().any():
        return [EARLIER]
    low = table[table[TRAIN_ACCURACY] < FITTED]
    if low.empty:
        return []
    rates = zip(low["model"], low["shot"], low[TRAIN_ACCURACY], strict=True)
    named = ", ".join(f"{model} with {shot} shots ({100 * rate:.1f} %)" for model, shot, rate in rates)
    return [f"{UNFINISHED} {named}."]
