"""Image quality beside real images: sharpness, and the distance of features from those of real images.

Neither says whether an identity is kept or a view is right: they are diagnostics beside the rates.
"""

from typing import NamedTuple

import numpy as np
import torch

from benchmark.evaluation.outputs import Features, Outputs
from benchmark.seeding import rng

SPLITS = 10  # of the real images into halves, the same ones for all models
SUBSET = 1000  # images of a half that are looked at, at most


class Quality(NamedTuple):
    """Image quality of a model's outputs.

    Attributes:
        sharpness: mean over the target views of the mean sharpness of the outputs, divided by that of the real images
            of the view: 1 is as sharp as these.
        kid: mean of `kid` over SPLITS.
        kid_sd: its standard deviation over them.
    """

    sharpness: float
    kid: float
    kid_sd: float


def quality(real: Outputs, generated: Outputs) -> Quality:
    """Return sharpness and KID of the outputs beside the real images.

    For KID the real images are split at random into two halves: what is generated from the one is compared with the
    other, so that no output is compared with its own input. Each image of the first half is turned once, to the view of
    another one of them drawn at random, so that both sides show each view as often. Real images and copies of the
    inputs are thus expected at 0. All features are divided by the root mean square of the real images', as the scale
    of the judge's features means nothing and the kernel depends on it.

    Args:
        real: outputs of the control `real`.
        generated: outputs of a model or control; those of `real` itself too.

    Returns:
        The numbers, each NaN where there are too few images for it.
    """
    ratios = []
    for view in np.unique(real.target):
        own, true = (each.sharpness[each.target == view].mean(dtype=float) for each in (generated, real))
        ratios.append(own / true if true else np.nan)
    positions = 1 + max(real.position.max(), generated.position.max())
    views = 1 + max(real.target.max(), generated.target.max())
    row = np.full((positions, views), -1)  # of the output of each input and target view
    row[generated.position, generated.target] = np.arange(len(generated.position))
    scale = np.float32(np.sqrt(np.mean(np.square(real.features), dtype=float)) or 1.0)
    half, found = min(len(real.position) // 2, SUBSET), []
    for number in range(SPLITS):
        random = rng("kid", number)
        mixed = random.permutation(len(real.position))
        inputs, others = mixed[:half], mixed[len(mixed) - half :]
        position, view = real.position[inputs], real.target[inputs]
        turned = row[position, random.permutation(view)]
        turned = np.where(turned < 0, row[position, view], turned)  # the real images, of which there is the own view
        found.append(kid(generated.features[turned] / scale, real.features[others] / scale))
    return Quality(float(np.mean(ratios)), float(np.mean(found)), float(np.std(found, ddof=1)))


def kid(one: Features, other: Features) -> float:
    """Return the kernel distance of two sets of features (N, F) and (M, F), NaN where one has less than two.

    It is the unbiased estimate of the squared maximum mean discrepancy with the kernel (x.y / F + 1)^3 of Binkowski et
    al., "Demystifying MMD GANs" (ICLR 2018): 0 is expected of two sets of the same distribution, and single values
    fall below. They use the features of an Inception network. Here they are those of the identity judge of a run, so
    the numbers of one run compare with each other and with no others.
    """
    if min(len(one), len(other)) < 2:
        return float("nan")
    x, y = (torch.from_numpy(np.ascontiguousarray(each)) for each in (one, other))
    among = ((a @ b.T / x.shape[1] + 1).double() ** 3 for a, b in ((x, x), (y, y), (x, y)))
    of_x, of_y, between = among
    within = ((own.sum() - own.diagonal().sum()) / (len(own) * (len(own) - 1)) for own in (of_x, of_y))
    return float(sum(within) - 2 * between.mean())
