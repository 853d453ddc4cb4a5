"""Identity preservation (paper, section 4.2): does a KNN trained on real images still recognise what was generated?"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from benchmark.evaluation.copying import copied, feature_distances
from benchmark.evaluation.draws import Draw
from benchmark.evaluation.knn import Labels, several_ranks
from benchmark.evaluation.outputs import Outputs

COLUMNS = ["draw", "image", "identity", "source", "target", "rank", "view_right", "copied_pixels", "copied_features"]


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
        Columns draw, image, identity, source and target (views), rank (of the true class, 0 is first), view_right,
        copied_pixels and copied_features (1 or 0, NaN where that is not asked, see `copying.copied`).
    """
    described = _described(manifest, real, generated)
    codes = class_codes(manifest)
    parts = []
    for number, each in enumerate(draws):
        rank = draw_ranks(each, codes, real, generated, [neighbours])[:, 0]
        own = described[np.isin(generated.position, each.test)]
        parts.append(own.assign(draw=np.int32(number), rank=rank.astype(np.int32)))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def class_codes(manifest: pd.DataFrame) -> Labels:
    """Return a number for the identity of each image, in the order of their names."""
    return np.asarray(manifest["identity"].astype("category").cat.codes, np.int64)


def draw_ranks(
    draw: Draw,
    codes: Labels,
    real: Outputs,
    generated: Outputs,
    neighbours: Sequence[int],
    metric: str = "euclidean",
) -> Labels:
    """Return the rank of the true class of each output of a draw, in the order of `generated`, for each K.

    Args:
        draw: which images train the KNN, and the outputs of which are ranked.
        codes: class of each image of the manifest.
        real: outputs of the control `real`.
        generated: outputs of the model.
        neighbours: the K.
        metric: `euclidean` or `cosine`.

    Returns:
        Ranks of shape (outputs of the draw, len(neighbours)).
    """
    train, test = real.of(draw.train), generated.of(draw.test)
    classes = np.unique(codes[draw.train])
    train_labels = np.searchsorted(classes, codes[train.position])
    test_labels = np.searchsorted(classes, codes[test.position])
    return several_ranks(train.features, train_labels, test.features, test_labels, neighbours, metric)


def _described(manifest: pd.DataFrame, real: Outputs, generated: Outputs) -> pd.DataFrame:
    """Return what does not depend on the draw, one row for each output."""
    inputs = manifest[["image", "identity", "view_label"]].iloc[generated.position]
    source = inputs["view_label"].to_numpy(np.int64)
    pixels = generated.to_input, generated.to_target
    features = feature_distances(manifest, real, generated)
    return pd.DataFrame(
        {
            "image": inputs["image"].to_numpy(),
            "identity": inputs["identity"].to_numpy(),
            "source": source.astype(np.int32),
            "target": generated.target.astype(np.int32),
            "view_right": generated.view == generated.target,
            "copied_pixels": copied(*pixels, source, generated.target),
            "copied_features": copied(*features, source, generated.target),
        }
    )
