"""Detection of copies: outputs that are closer to their input than to every real image of what they should show.

The real images are those of the same identity from the target view. Compared are pixels, while the output is there, and
identity features. Even a true picture can be nearer to its input, with which it shares paint, light and background,
than to other pictures of the car: a copy rate is read against that of the control `oracle`.
"""

from collections.abc import Callable, Hashable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.evaluation.generate import Positions
from benchmark.evaluation.outputs import Compared, Distances, Outputs

CHUNK = 4096  # outputs compared at once
MEMBERS = 64  # real images they are compared with at once

Real = Callable[[Positions], Tensor]  # positions (N,) of real images -> their pixels or features (N, F)


def copied(to_input: Distances, to_target: Distances, source: Positions, target: Positions) -> Distances:
    """Return 1 for a copy and 0 for none; NaN where the target is the input's own view or has no real image."""
    asked = (source != target) & ~np.isnan(to_target)
    return np.where(asked, to_input < to_target, np.nan).astype(np.float32)


def pixel_distances(store: ImageStore) -> Compared:
    """Return a function from outputs to their distances from real images: mean absolute differences of pixels.

    It answers with the distance to the input, and with that to the nearest real image of the same identity and the
    target view, NaN where there is none.
    """
    members, row = shown(store.manifest), store.manifest["row"].to_numpy()
    identity = store.manifest["identity"].to_numpy(object)

    def compare(images: Tensor, position: Positions, view: int) -> tuple[Distances, Distances]:
        def real(positions: Positions) -> Tensor:
            return to_float(store.images[row[positions]]).flatten(1).to(images.device)

        outputs = images.float().flatten(1)
        target = np.full(len(position), view)
        to_input = (outputs - real(position)).abs().mean(1)
        to_target = to_nearest(outputs, identity[position], target, members, real, p=1)
        return to_input.cpu().numpy(), (to_target / outputs.shape[1]).cpu().numpy()

    return compare


def feature_distances(manifest: pd.DataFrame, real: Outputs, generated: Outputs) -> tuple[Distances, Distances]:
    """Return the Euclidean distances of identity features that correspond to `pixel_distances`.

    Args:
        manifest: the split manifest.
        real: outputs of the control `real`.
        generated: outputs of a model, M of them.

    Returns:
        The distances to the input and to the nearest real image of identity and view, both of shape (M,).
    """
    place = np.full(len(manifest), -1)
    place[real.position] = np.arange(len(real.position))
    features = torch.from_numpy(real.features)
    identity, members = manifest["identity"].to_numpy(object), shown(manifest)

    def described(positions: Positions) -> Tensor:
        return features[place[positions]]

    def distances(rows: slice) -> Tensor:
        outputs, position = torch.from_numpy(generated.features[rows]), generated.position[rows]
        to_input = (outputs - described(position)).norm(dim=1)
        to_target = to_nearest(outputs, identity[position], generated.target[rows], members, described, p=2)
        return torch.stack([to_input, to_target])

    parts = [distances(slice(start, start + CHUNK)) for start in range(0, len(generated.position), CHUNK)]
    to_input, to_target = torch.cat(parts, 1).numpy()
    return to_input, to_target


def shown(manifest: pd.DataFrame) -> dict[Hashable, Positions]:
    """Return the positions of the standard images of each (identity, view)."""
    standard = np.flatnonzero(manifest["split"] == "standard")
    rows = manifest.iloc[standard].groupby(["identity", "view_label"]).indices
    return {key: standard[np.asarray(own)] for key, own in rows.items()}


def to_nearest(
    outputs: Tensor,
    identity: NDArray[np.object_],
    target: Positions,
    members: dict[Hashable, Positions],
    real: Real,
    p: float,
) -> Tensor:
    """Return the distance of each output to the nearest real image of its identity and target view, NaN without one.

    Args:
        outputs: of shape (M, F).
        identity: names of shape (M,).
        target: target views, (M,).
        members: positions of the real images of each (identity, view).
        real: gives the real images at some positions.
        p: 1 or 2, which norm.
    """
    distance = torch.full((len(outputs),), torch.nan, device=outputs.device)
    wanted = pd.DataFrame({"identity": identity, "view": target}).groupby(["identity", "view"]).indices
    for key, chosen in wanted.items():
        if key in members:
            rows, own = torch.from_numpy(np.asarray(chosen)), members[key]
            parts = (real(own[start : start + MEMBERS]) for start in range(0, len(own), MEMBERS))
            among = [torch.cdist(outputs[rows], part, p, "donot_use_mm_for_euclid_dist").amin(1) for part in parts]
            distance[rows] = torch.stack(among).amin(0)
    return distance
