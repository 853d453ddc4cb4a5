"""Reliability of the two ResNet18 that judge generated images, and warnings about tables that rest on them."""

from collections.abc import Mapping

import pandas as pd

from benchmark.reporting.learned import FEWEST
from benchmark.reporting.tables import random_split
from benchmark.results.records import Judge

WEAK_VIEW, WEAK_IDENTITY = 0.9, 0.5  # of real images, below which rates say little of generators
ENOUGH = 10  # held-out images of a class, below which its own accuracy says little
FEW = 3  # test images of a class, below which its rates jump
CLEARLY = 0.05  # above real images; the mean image of a view can be a little more typical of it than these are


def stated(judges: Mapping[str, Judge]) -> str:
    """Return in a sentence how accurate the networks are on images that they were not trained on."""
    parts = []
    for task, judge in judges.items():
        if judge.accuracy is None or judge.lowest is None:
            parts.append(f"{task}: not known, as no image of the training identities was held out")
            continue
        ended = "" if judge.converged else ", the most that the settings allow"
        enough = judge.images >= ENOUGH * judge.classes
        lowest = f"lowest class {100 * judge.lowest:.0f} %, " if enough else ""
        parts.append(
            f"{task} {100 * judge.accuracy:.1f} % ({lowest}{judge.images} images of {judge.classes} classes; "
            f"{judge.epochs} epochs{ended})"
        )
    return (
        "The networks that judge, on held-out images of their training identities, each class counting the same: "
        f"{'; '.join(parts)}."
    )


def warnings(judges: Mapping[str, Judge], identity: pd.DataFrame) -> list[str]:
    """Return a sentence for each reason why the rates say less than they seem to.

    Args:
        judges: the networks.
        identity: rows of `tables.identity_table`.
    """
    found, table = [], random_split(identity)
    rows = {(row["model"], row["nc"]): row for row in table.to_dict("records")}
    view, real_views = judges.get("view"), table.loc[table["model"] == "real", "view"]
    rates = [(view.accuracy, "held-out real images")] if view and view.accuracy is not None else []
    rates += [(real_views.min(), "real images that are evaluated (view of `real`)")] if len(real_views) else []
    if rates and min(rates)[0] < WEAK_VIEW:
        helpful = " and larger images" if view and view.classes <= FEWEST else ", larger images or fewer views"
        found.append(
            f"Weak judge: the view network has {' and '.join(f'{100 * rate:.1f} % of {of}' for rate, of in rates)} "
            "right, about the most that view and joint rates can be. "
            f"More images of each view{helpful} help it."
        )
    for nc in sorted(table["nc"].unique()):
        real, mean = rows.get(("real", nc)), rows.get(("mean_image", nc))
        if real is None:
            continue
        if real["top1"] < WEAK_IDENTITY:
            found.append(
                f"Weak judge: with {nc} classes {100 * real['top1']:.1f} % of real images are recognised (top-1 of "
                "`real`), the upper bound of every generator."
            )
        for rate in ("top1", "view", "joint"):
            if mean is not None and mean[rate] > real[rate] + CLEARLY:
                found.append(
                    f"Do not trust {rate} with {nc} classes: `mean_image` has {100 * mean[rate]:.1f} % and `real` "
                    f"{100 * real[rate]:.1f} %, so the networks prefer blurred images to real ones."
                )
        if real["n_images"] < FEW * nc:
            found.append(
                f"Small classes: with {nc} classes the rates rest on {real['n_images'] / nc:.1f} test images a class. "
                "Raise data.minimum_images or bring more images."
            )
    return found
