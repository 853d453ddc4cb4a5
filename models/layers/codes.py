"""Encoders that end in a short code, and classifiers that read one (Hadad et al., CVPR 2018)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.layers.blocks import Encoder, pooled
from models.layers.plan import Plan

HIDDEN = 64  # outputs of the hidden layers of a classifier


class CodeEncoder(nn.Module):
    """The convolutional trunk, the mean over positions, and a linear code."""

    def __init__(self, plan: Plan, size: int) -> None:
        super().__init__()
        self.trunk = Encoder(plan)
        self.code = nn.Linear(plan.features, size)

    def forward(self, image: Tensor) -> Tensor:
        """Return codes of shape (B, size) for images of shape (B, 3, S, S)."""
        code: Tensor = self.code(pooled(self.trunk(image)[-1]))
        return code


class CodeClassifier(nn.Sequential):
    """`depth` times (dense layer, batch norm, ReLU), and a dense layer: (B, size) -> logits (B, classes)."""

    def __init__(self, size: int, depth: int, classes: int) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([size, *[HIDDEN] * depth]):
            layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
        super().__init__(*layers, nn.Linear(HIDDEN, classes))


def codes_by_view(codes: Tensor, view: Tensor, views: int) -> list[Tensor]:
    """Return the codes of each view, in the views' order; for a view that does not occur, all codes.

    Args:
        codes: codes of shape (n, size).
        view: the views of the images, of shape (n,).
        views: number of views.
    """
    own = (codes[view == k] for k in range(views))
    return [found if len(found) else codes for found in own]


def exemplar_of(noise: Tensor, count: int) -> Tensor:
    """Choose one of `count` by standard normal noise of shape (B,), all equally likely; returns indices (B,)."""
    share: Tensor = torch.special.ndtr(noise)  # uniform in (0, 1)
    return (share * count).long().clamp(max=count - 1)
