"""The size of a generator, and widths that give every compared method the same one.

Xiong et al. say that the generators they compare were adjusted to a comparable number of parameters. Published sizes
differ up to 29 times, so a model that asks for it (`fitted`) gets the width at which its generator is as large as that
of the reference at the wanted width.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch

from models.interface import ModelSpec, ViewModel
from models.registry import REFERENCE, find

Kind = Callable[[ModelSpec], ViewModel]

STEP = 0.005  # widths are searched in these steps
LARGEST = 64  # a width that no search goes far beyond
SMALL = 32  # pixels; at and below, few channels make the steps coarse


def tolerance(image_size: int) -> float:
    """Return by how much a fitted generator may differ from the reference, as a share of its parameters."""
    return 0.15 if image_size <= SMALL else 0.05


def generator_parameters(model: ViewModel) -> int:
    """Return the trainable parameters of a generator: of everything that is not for training only."""
    return sum(p.numel() for name, p in model.named_parameters() if model.keeps(name) and p.requires_grad)


def discriminator_parameters(model: ViewModel) -> int:
    """Return the trainable parameters of what is for training only: discriminators, adversaries, classifiers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad) - generator_parameters(model)


def sized(model: type[ViewModel], spec: ModelSpec) -> ModelSpec:
    """Return `spec` with the generator's own width, the searched one, if the model is fitted; otherwise as it is.

    A discriminator shared with other models keeps the width of `spec`.
    """
    kind: Kind = model
    if not model.fitted:
        return spec
    decisive = ModelSpec(spec.image_size, spec.views, identities=2, width=spec.width)  # so that searches are remembered
    return replace(spec, width=_fitted_width(kind, decisive), discriminator_width=spec.width)


@cache
def _fitted_width(kind: Kind, spec: ModelSpec) -> float:
    """Return the width, a multiple of STEP, whose generator is nearest in size to the reference's at `spec`.

    Raises:
        ValueError: the model does not grow with the width, so the search would not end.
    """
    reference: Kind = find(REFERENCE).load()
    wanted = parameters(reference, spec)

    def difference(steps: int) -> int:
        return parameters(kind, replace(spec, width=round(steps * STEP, 3))) - wanted

    high = max(1, round(spec.width / STEP))
    while difference(high) < 0:
        if high * STEP > LARGEST:
            raise ValueError(f"it is fitted, but smaller than {REFERENCE} at any width; let it grow with spec.width")
        high *= 2
    low = high // 2
    while low > 1 and difference(low) >= 0:
        low //= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if difference(middle) < 0 else (low, middle)
    return round(min((max(1, low), high), key=lambda steps: abs(difference(steps))) * STEP, 3)


@cache
def parameters(kind: Kind, spec: ModelSpec) -> int:
    """Return the trainable parameters of a generator, counted without giving it memory."""
    with torch.device("meta"):
        return generator_parameters(kind(spec))
