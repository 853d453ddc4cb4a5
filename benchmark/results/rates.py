"""The rates of each measurement, and those of identity for each generated image."""

import pandas as pd

from benchmark.evaluation.rates import rates

LEADING = "joint_cross"  # joint on other views, which a copy of the input cannot have
RATES = (LEADING, "joint", "top1", "top5", "view")
OF_TARGETS = ("joint", "top1", "view")  # given again for the input's own view and for the other views
TARGETS = ("cross", "same")
ACCURACY = "accuracy"  # of the few-shot measurement
TRAIN_ACCURACY = "train_accuracy"  # the few-shot classifier's on its own real training images
SHARPNESS = "sharpness"  # of generated images beside real ones, no rate of single outcomes
COPIED = {"copied_pixels": "copy_rate_pixels", "copied_features": "copy_rate_features"}  # of outcomes: rates
BY_TARGET = [f"{rate}_{target}" for target in TARGETS for rate in OF_TARGETS]
ALL_RATES = (*RATES, *(rate for rate in BY_TARGET if rate != LEADING), *COPIED.values())


def view_weights(outcomes: pd.DataFrame) -> pd.Series | None:
    """Return weights of outcomes, with a mean of 1, under which each target view counts the same; None where it does.

    Models turn every image to every view. The row `real` has the view of each image alone, and views that have more
    images would count more in it: it were no upper bound of the models.
    """
    if (outcomes["source"] != outcomes["target"]).any():
        return None
    count = outcomes.groupby("target")["target"].transform("size")
    return len(count) / (count * outcomes["target"].nunique())


def all_rates(outcomes: pd.DataFrame, nc: int) -> pd.DataFrame:
    """Return the columns ALL_RATES for the outcomes of `evaluation.identity`: 0, 1, or NaN where a rate does not apply.

    `<rate>_same` is over the outputs whose target is the view of the input, `<rate>_cross` over the others.
    """
    found = rates(outcomes, nc)
    same = outcomes["source"] == outcomes["target"]
    by_target = [
        found[list(OF_TARGETS)].where(rows).add_suffix(f"_{target}")
        for target, rows in zip(TARGETS, (~same, same), strict=True)
    ]
    return pd.concat([found, *by_target, outcomes[list(COPIED)].rename(columns=COPIED)], axis=1)[list(ALL_RATES)]
