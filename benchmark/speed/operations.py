"""Floating-point operations of a training, by the formulas of torch's own counter.

Torch's `FlopCounterMode` follows modules, too, by hooks that a gradient penalty breaks; here are the formulas alone.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
import torchvision  # noqa: F401  (registers its operators)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, shape_wrapper

Shape = Sequence[int]


def count(computation: Callable[[], object]) -> int:
    """Return the operations of a computation, forward and backward; a multiply-accumulate is two.

    Counted are convolutions, products of matrices and attention, by their shapes, as far as they are computed.
    """
    with _Counter() as counter:  # type: ignore[no-untyped-call]
        computation()
    total: int = counter.total
    return total


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = FORMULAS.get(func.overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


def _deformable(image: Shape, weight: Shape, *_: Any, out_shape: Shape, **__: Any) -> int:
    """Return the operations of a deformable convolution: those of a plain one.

    Args:
        image: (B, C, H, W).
        weight: (C', C / groups, height and width of the kernel).
        out_shape: (B, C', H', W').
    """
    return 2 * out_shape[0] * prod(out_shape[2:]) * prod(weight)


def _deformable_backward(gradient: Shape, image: Shape, weight: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of its derivatives, by what is convolved and by the weights; `gradient`: (B, C', ...)."""
    return 2 * _deformable(image, weight, out_shape=gradient)


_shaped: Callable[[Callable[..., int]], Callable[..., int]] = shape_wrapper  # gives a formula shapes for tensors

FORMULAS: Mapping[Any, Callable[..., int]] = {
    **flop_registry,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: flop_registry[
        torch.ops.aten._scaled_dot_product_flash_attention
    ],
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: flop_registry[
        torch.ops.aten._scaled_dot_product_flash_attention_backward
    ],
    torch.ops.torchvision.deform_conv2d: _shaped(_deformable),
    torch.ops.torchvision._deform_conv2d_backward: _shaped(_deformable_backward),
}
