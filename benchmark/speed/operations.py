"""Floating-point operations of a training, by the formulas of torch's own counter.

Torch's `FlopCounterMode` follows modules, too, by hooks that a gradient penalty breaks; here are the formulas alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, shape_wrapper

from benchmark.evaluation.operations import deformable

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


def _deformable_backward(gradient: Shape, image: Shape, weight: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of its derivatives, by what is convolved and by the weights; `gradient`: (B, C', ...)."""
    return 2 * deformable(image, weight, out_shape=gradient)


_shaped: Callable[[Callable[..., int]], Callable[..., int]] = shape_wrapper  # gives a formula shapes for tensors

FORMULAS: Mapping[Any, Callable[..., int]] = {
    **flop_registry,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: flop_registry[
        torch.ops.aten._scaled_dot_product_flash_attention
    ],
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: flop_registry[
        torch.ops.aten._scaled_dot_product_flash_attention_backward
    ],
    torch.ops.torchvision.deform_conv2d: _shaped(deformable),
    torch.ops.torchvision._deform_conv2d_backward: _shaped(_deformable_backward),
}
