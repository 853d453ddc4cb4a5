"""Images and identities that are kept from training, to measure on."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark import seeding

if TYPE_CHECKING:
    from benchmark.data.image_store import ImageStore


def held_out_images(rows: pd.DataFrame, share: float, *axes: str | int) -> NDArray[np.bool_]:
    """Choose about `share` of each identity's images, of an identity with three or more at least one.

    `axes` are those of the seed.

    Returns:
        Whether each row is chosen, of shape (len(rows),).
    """
    order = pd.Series(seeding.rng(*axes).random(len(rows)), index=rows.index)
    grouped = order.groupby(rows["identity"])
    few = (grouped.rank() == 1) & (grouped.transform("size") >= 3)
    return ((grouped.rank(pct=True) <= share) | few).to_numpy()


def of_validation(store: "ImageStore") -> "ImageStore":
    """Return the store with the validation identities in the place of the standard ones, which are gone."""
    kept = store.manifest[store.manifest["split"] != "standard"].reset_index(drop=True)
    return replace(store, manifest=kept.assign(split=kept["split"].replace("validation", "standard")))
