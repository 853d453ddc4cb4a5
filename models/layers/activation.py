"""ELU, written so that it is fast on a CPU."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import elu


class _Elu(torch.autograd.Function):
    """max(x, exp(min(x, 0)) - 1): ELU to within a rounding, without the seven times slower `expm1`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.clamp(max=0).exp_().sub_(1)
        torch.maximum(x, y, out=y)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        slope = (y + 1).clamp_(max=1)  # exp(x) below 0, 1 above
        gradient: Tensor = slope.mul_(gradients[0])
        return gradient


class Elu(nn.Module):
    """ELU with alpha 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ELU of a tensor of any shape."""
        if x.device.type != "cpu":
            return elu(x)
        y: Tensor = _Elu.apply(x)
        return y
