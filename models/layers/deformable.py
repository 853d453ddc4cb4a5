"""Deformable convolution (Dai et al., Deformable Convolutional Networks, ICCV 2017)."""

import torch
from torch import Tensor, nn


class DeformableConvolution(nn.Module):
    """3x3 convolution that samples at learned offsets, without the modulation mask of the later version.

    The offsets come from a 3x3 convolution of the same feature. They start at 0, where the layer is a plain
    convolution.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        from torchvision.ops import DeformConv2d  # its import takes seconds, which one model alone should cost

        super().__init__()
        self.offset = nn.Conv2d(inputs, 2 * 3 * 3, 3, padding=1)
        self.sample = DeformConv2d(inputs, outputs, 3, padding=1, bias=False)
        self.reset()

    def reset(self) -> None:
        """Set the offsets to 0, and draw the weights as those of every other convolution."""
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.sample.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of x, (B, C, H, W) -> (B, C', H, W)."""
        precise = torch.promote_types(x.dtype, torch.float32)  # the sampling has no half precision on a CPU
        offset = self.offset(x).to(precise)
        with torch.autocast(x.device.type, enabled=False):
            y: Tensor = self.sample(x.to(precise), offset)
        return y.to(x.dtype)
