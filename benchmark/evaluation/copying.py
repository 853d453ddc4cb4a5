"""Is an output a copy? It is one if it is closer to its input than to every real image of what it should show.

The real images are those of the same identity from the wanted view. Compared are pixels, while the output is there, and
identity features. An output that resembles none of them is nearest to one all the same: a copy rate compares models,
and says little of a single image.
"""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.images import ImageStore
from benchmark.training.sampling import to_float

if TYPE_CHECKING:
    from benchmark.evaluation.outputs import Outputs

Positions = NDArray[np.int64]
Distances = NDArray[np.float32]
Real = Callable[[Positions], Tensor]  # positions (N,) of real images -> their pixels or features (N, F)


def copied(to_input: Distances, to_target: Distances, source: Positions, target: Positions) -> Distances:
    """Return 1 for a copy and 0 for none; NaN where the target is the input's own view or has no real image."""
    asked = (source != target) & ~np.isnan(to_target)
    return np.where(asked, to_input < to_target, np.nan).astype(np.float32)


class RealImages:
    """The standard images, with whose pixels outputs are compared."""

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self.shown = shown(store.manifest)

    def distances(self, images: Tensor, position: Positions, view: int) -> tuple[Distances, Distances]:
        """Return how far outputs are from their inputs, and from the nearest real image of their identity and view.

        Args:
            images: outputs of shape (B, 3, S, S) in [-1, 1].
            position: positions of their inputs in the manifest, (B,).
            view: the wanted view.

        Returns:
            Two arrays of shape (B,): mean absolute differences; NaN in the second where there is no such real image.
        """
        outputs = images.float().flatten(1)
        identity = self.store.manifest["identity"].to_numpy()[position]
        target = np.full(len(position), view)

        def real(positions: Positions) -> Tensor:
            rows = self.store.manifest["row"].to_numpy()[positions]
            return to_float(self.store.images[rows]).flatten(1).to(images.device)

        to_input = (outputs - real(position)).abs().mean(1)
        to_target = to_nearest(outputs, identity, target, self.shown, real, p=1) / outputs.shape[1]
        return to_input.cpu().numpy(), to_target.cpu().numpy()


def feature_distances(manifest: pd.DataFrame, real: "Outputs", generated: "Outputs") -> tuple[Distances, Distances]:
    """Return how far outputs are from their inputs, and from the nearest real image of their identity and view.

    Args:
        manifest: the split manifest.
        real: outputs of the control `real`.
        generated: outputs of a model, M of them.

    Returns:
        Two arrays of shape (M,): Euclidean distances of identity features; NaN in the second where there is no such
        real image.
    """
    place = np.full(len(manifest), -1)
    place[real.position] = np.arange(len(real.position))
    outputs, features = torch.from_numpy(generated.features), torch.from_numpy(real.features)
    identity = manifest["identity"].to_numpy()[generated.position]
    to_input = (outputs - features[place[generated.position]]).norm(dim=1)
    of = shown(manifest)
    to_target = to_nearest(outputs, identity, generated.target, of, lambda own: features[place[own]], p=2)
    return to_input.numpy(), to_target.numpy()


def shown(manifest: pd.DataFrame) -> dict[Hashable, Positions]:
    """Return the positions of the standard images of each (identity, view)."""
    standard = np.flatnonzero(manifest["split"] == "standard")
    rows = manifest.iloc[standard].groupby(["identity", "view_label"]).indices
    return {key: standard[np.asarray(own)] for key, own in rows.items()}


def to_nearest(
    outputs: Tensor,
    identity: NDArray[np.object_],
    target: Positions,
    shown: dict[Hashable, Positions],
    real: Real,
    p: float,
) -> Tensor:
    """Return the distance of each output to the nearest real image of its identity and wanted view, NaN without one.

    Args:
        outputs: of shape (M, F).
        identity: names of shape (M,).
        target: wanted views, (M,).
        shown: positions of the real images of each (identity, view).
        real: gives the real images at some positions.
        p: 1 or 2, which norm.
    """
    distance = torch.full((len(outputs),), torch.nan, device=outputs.device)
    wanted = pd.DataFrame({"identity": identity, "view": target}).groupby(["identity", "view"]).indices
    for key, chosen in wanted.items():
        if key in shown:
            rows = torch.from_numpy(np.asarray(chosen))
            among = torch.cdist(outputs[rows], real(shown[key]), p, "donot_use_mm_for_euclid_dist")
            distance[rows] = among.amin(1)
    return distance
