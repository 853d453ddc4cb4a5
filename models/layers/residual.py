"""Residual blocks of CR-GAN (Tian et al., IJCAI 2018), which follow the residual networks of WGAN-GP.

Gulrajani et al. Improved Training of Wasserstein GANs. NIPS 2017. Activations come before 3x3 convolutions, and the
shortcuts are 3x3 convolutions too.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.plan import plan, scaled

STEM = 64  # channels of the first convolution, at full resolution
BLOCKS = (64, 128, 256, 512, 512)  # output channels of the down blocks, published for 128 px


def residual_channels(image_size: int, width: float = 1.0) -> list[int]:
    """Return the channels after the stem and after each down block, times `width`.

    There is a block for each time that the plan halves the side: five at 224 and 128 px, four at 96 and 64, three at
    32. Where there are fewer than the published five, the deepest and widest are left out.
    """
    halvings = len(plan(image_size).channels) - 1
    published = [STEM, *(BLOCKS[min(n, len(BLOCKS) - 1)] for n in range(halvings))]
    return [scaled(channels, width) for channels in published]


class DownBlock(nn.Module):
    """Twice ReLU and convolution, then 2x2 mean pooling; no normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Halve the side: (B, C, H, W) -> (B, C', H / 2, W / 2)."""
        hidden = F.relu(self.first(F.relu(x)))
        short: Tensor = self.shortcut(F.avg_pool2d(x, 2))
        return _convolved_and_pooled(self.second, hidden) + short


def _convolved_and_pooled(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the 2x2 mean pooling of a 3x3 convolution of x.

    It is one convolution with stride 2, whose 4x4 kernel is the mean of the 3x3 kernel at four places: less than half
    the work.
    """
    kernel = F.avg_pool2d(convolution.weight, 2, stride=1, padding=1)
    return F.conv2d(x, kernel, convolution.bias, stride=2, padding=1)


class UpBlock(nn.Module):
    """Twice batch norm, ReLU and convolution; before the first convolution the side is doubled by nearest neighbours.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        bias: whether the output has biases; batch norm cancels them if nothing else follows. The first convolution
            never has any: the second batch norm cancels them.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in (inputs, outputs))
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.shortcut = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Double the side: (B, C, H, W) -> (B, C', 2 H, 2 W)."""
        main = self.first(F.interpolate(F.relu(self.norms[0](x)), scale_factor=2))
        main = self.second(F.relu(self.norms[1](main)))
        doubled: Tensor = main + self.shortcut(F.interpolate(x, scale_factor=2))
        return doubled
