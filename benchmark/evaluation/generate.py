"""From images and a target view to images: trained models, and the controls that stand beside them.

Every measurement, sample and live log of a trained model gets its images by `generate`.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.seeding import rng
from models.interface import NOISE, ViewModel, one_hot

Positions = NDArray[np.int64]
Generate = Callable[[Positions, int], Tensor]  # (positions (B,), target view) -> images (B, 3, S, S) in [-1, 1]

CHUNK = 256  # images averaged at once


def noise(keys: NDArray[np.int64], view: int) -> Tensor:
    """Return the noise (B, 128) that every model gets for the images of these keys and this view."""
    rows = [rng("noise", int(key), view).standard_normal(NOISE, np.float32) for key in keys]
    return torch.from_numpy(np.stack(rows))


def pixel_keys(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return keys (B,) of images (B, S, S, 3) that are in no manifest: each depends on its own pixels alone."""
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.array([int.from_bytes(digest[:8], "little") >> 1 for digest in digests], np.int64)


@torch.no_grad()
def generate_by_codes(model: ViewModel, images: Tensor, codes: Tensor, noise: Tensor) -> Tensor:
    """Return what a model in evaluation mode makes of images, (B, 3, S, S) in [-1, 1], on the model's device.

    Args:
        model: the model.
        images: of shape (B, 3, S, S), in [-1, 1].
        codes: view codes (B, N_a).
        noise: of shape (B, 128).
    """
    device = next(model.parameters()).device
    return model.generate(images.to(device), codes.to(device), noise.to(device)).clamp(-1, 1)


def generate(model: ViewModel, images: Tensor, keys: NDArray[np.int64], view: int) -> Tensor:
    """Return images turned to a view, (B, 3, S, S) in [-1, 1], on the model's device.

    Args:
        model: in evaluation mode.
        images: of shape (B, 3, S, S), in [-1, 1].
        keys: what the noise of each image depends on besides the view, (B,): its position in the manifest, or for an
            image in no manifest its `pixel_keys`.
        view: target view.
    """
    codes = one_hot(torch.full((len(images),), view), model.spec.views)
    return generate_by_codes(model, images, codes, noise(keys, view))


def generate_views(model: ViewModel, images: Tensor, keys: NDArray[np.int64]) -> list[Tensor]:
    """Return for each view in order the images turned to it, as `generate` does, on the CPU."""
    return [generate(model, images, keys, view).cpu() for view in range(model.spec.views)]


def inputs(store: ImageStore, positions: Positions) -> Tensor:
    """Return the images at `positions` of the manifest, of shape (B, 3, S, S), in [-1, 1]."""
    return to_float(store.at(positions))


def trained(model: ViewModel, store: ImageStore) -> Generate:
    """Return the generate function of a trained model, which is in evaluation mode from now on."""
    model.eval()
    return lambda positions, view: generate(model, inputs(store, positions), positions, view)


def copy(store: ImageStore) -> Generate:
    """Return the control that gives the input back; with each image's own view alone it is the row `real`."""
    return lambda positions, view: inputs(store, positions)


def mean_image(store: ImageStore) -> Generate:
    """Return the control that answers with the mean auxiliary image of the target view."""
    auxiliary = store.manifest.iloc[store.subset("auxiliary")]
    means = []
    for _, rows in sorted(auxiliary.groupby("view_label")["row"].agg(list).items()):
        parts = (store.images[rows[start : start + CHUNK]] for start in range(0, len(rows), CHUNK))
        total: NDArray[np.int64] = sum(part.sum(0, dtype=np.int64) for part in parts)  # of bytes: exact
        means.append(torch.from_numpy(total / len(rows)).permute(2, 0, 1))
    stacked = torch.stack(means).float().div(127.5).sub(1.0)
    return lambda positions, view: stacked[view].expand(len(positions), -1, -1, -1)


def stored(pictures: NDArray[np.uint8], known: Positions) -> Generate:
    """Return a function that answers with pictures made before: true ones, or those of a generator elsewhere.

    Args:
        pictures: of each known image from each view, (N, views, S, S, 3), in 0 .. 255.
        known: growing positions of these images in the manifest, (N,).
    """
    return lambda positions, view: to_float(pictures[np.searchsorted(known, positions), view])
