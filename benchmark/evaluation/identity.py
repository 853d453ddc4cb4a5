"""Identity preservation (paper, section 4.2): does a KNN trained on real images still recognise what was generated?"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.evaluation.draws import Draw
from benchmark.evaluation.knn import ranks
from benchmark.evaluation.outputs import Outputs

Whole = NDArray[np.int64]


def outcomes(
    draws: Iterable[Draw], manifest: pd.DataFrame, real: Outputs, generated: Outputs, neighbours: int
) -> pd.DataFrame:
    """Return one row for each generated image of each draw.

    Args:
        draws: the repetitions.
        manifest: the split manifest.
        real: outputs of the control `real`, whose features train the KNN.
        generated: outputs of the model.
        neighbours: K.

    Returns:
        Columns draw, image, identity, source and target (views), rank (of the true class, 0 is first) and view_right.
    """
    identity = manifest["identity"].astype("category")
    codes: Whole = np.asarray(identity.cat.codes, np.int64)
    parts = [_outcome(n, each, manifest, codes, real, generated, neighbours) for n, each in enumerate(draws)]
    return pd.concat(parts, ignore_index=True)


def _outcome(
    number: int,
    draw: Draw,
    manifest: pd.DataFrame,
    codes: Whole,
    real: Outputs,
    generated: Outputs,
    neighbours: int,
) -> pd.DataFrame:
    train, test = real.of(draw.train), generated.of(draw.test)
    classes = np.unique(codes[draw.train])
    train_labels = np.searchsorted(classes, codes[train.position])
    test_labels = np.searchsorted(classes, codes[test.position])
    rank = ranks(train.features, train_labels, test.features, test_labels, neighbours)
    inputs = manifest.iloc[test.position]
    return pd.DataFrame(
        {
            "draw": np.int32(number),
            "image": inputs["image"].to_numpy(),
            "identity": inputs["identity"].to_numpy(),
            "source": inputs["view_label"].to_numpy(np.int32),
            "target": test.target.astype(np.int32),
            "rank": rank.astype(np.int32),
            "view_right": test.view == test.target,
        }
    )


def rates(outcome: pd.DataFrame, nc: int) -> pd.DataFrame:
    """Return the rates of each outcome as 0 or 1: top1, top5, view and joint (identity first and view right).

    With ten classes or fewer top-5 says little; it is not a number there.
    """
    first = outcome["rank"] == 0
    top5 = outcome["rank"] < 5 if nc > 10 else np.nan
    measured = {"top1": first, "top5": top5, "view": outcome["view_right"], "joint": first & outcome["view_right"]}
    return pd.DataFrame(measured, index=outcome.index, dtype=float)
