"""Operations of a generator, counted as multiply-accumulates (MACs).

Counted are convolutions (plain, transposed, deformable), dense layers and attention, by their shapes: a convolution's
padding counts like any other position, and attention counts all pairs of positions, also those that a window masks out,
since they are computed too. Normalisation, activations, biases and the sampling of a deformable convolution are not.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
import torchvision  # noqa: F401  (registers its operators)
from torch.utils.flop_counter import FlopCounterMode

from models.interface import NOISE, ViewModel, one_hot

Shape = Sequence[int]


def image_macs(model: ViewModel) -> int:
    """Return the MACs of one generated image; the model is in evaluation mode afterwards."""
    size = model.spec.image_size
    image, code = torch.zeros(1, 3, size, size), one_hot(torch.zeros(1, dtype=torch.int64), model.spec.views)
    model.eval()
    return macs(lambda: model.generate(image, code, torch.zeros(1, NOISE)))


def macs(computation: Callable[[], object]) -> int:
    """Return the MACs of a computation, which is done without gradients."""
    unknown = {  # to torch's counter
        torch.ops.torchvision.deform_conv2d: deformable,
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    }
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=unknown) as counter:
        computation()
    operations: int = counter.get_total_flops()
    return operations // 2  # a MAC is two of them


def deformable(image: Shape, weight: Shape, *_: Any, out_shape: Shape, **__: Any) -> int:
    """Return the operations of a deformable convolution: those of a plain one.

    Args:
        image: (B, C, H, W).
        weight: (C', C / groups, height and width of the kernel).
        out_shape: (B, C', H', W').
    """
    return 2 * out_shape[0] * prod(out_shape[2:]) * prod(weight)


def _attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of the logits and of the weighted sums.

    Args:
        query: (B, heads, N, E).
        key: (B, heads, M, E).
        value: (B, heads, M, E').
    """
    return 2 * prod(query[:3]) * key[2] * (key[3] + value[3])
