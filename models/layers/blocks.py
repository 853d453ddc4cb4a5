"""Encoder and convolution layers after DR-GAN (Tran et al., CVPR 2017, table 2)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.layers.activation import Elu
from models.layers.plan import Plan

DEVIATION = 0.02  # of the weights at the start


class EncoderLayer(nn.Sequential):
    """3x3 convolution, batch norm, ELU. No bias: the normalisation would cancel it."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), Elu())


class Encoder(nn.Module):
    """The convolutional trunk of an encoder and of a discriminator; each level but the first halves the side."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        inputs = 3
        for depth, channels in enumerate(plan.channels):
            strides = [2 if depth and not first else 1 for first in range(len(channels))]
            sizes = pairwise([inputs, *channels])
            self.levels.append(
                nn.Sequential(*(EncoderLayer(i, o, s) for (i, o), s in zip(sizes, strides, strict=True)))
            )
            inputs = channels[-1]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the output of every level: level l has shape (B, C_l, S / 2^l, S / 2^l)."""
        outputs = [image]
        for level in self.levels:
            outputs.append(level(outputs[-1]))
        return outputs[1:]


def pooled(feature: Tensor) -> Tensor:
    """Return the mean over positions: (B, C, H, W) -> (B, C)."""
    return feature.mean((2, 3))


def initialise(module: nn.Module) -> None:
    """Draw the weights of convolutions and dense layers from N(0, 0.02), biases 0, as DR-GAN does."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@torch.no_grad()
def scale_to_fan_in(network: nn.Module) -> None:
    """Make the weights of convolutions, drawn from N(0, 0.02), those of N(0, 1 / sqrt(fan-in)).

    N(0, 0.02) is meant for hundreds of channels. With few, weights so small are turned over by Adam's first steps, all
    of which have the size of the learning rate. What is zero stays zero.
    """
    for module in network.modules():
        weight = getattr(module, "weight", None)
        if weight is not None and weight.dim() == 4:
            fan_in: float = weight[0].numel()  # how many numbers go into one output
            if isinstance(module, nn.ConvTranspose2d):  # on average
                fan_in = weight[:, 0].numel() / (module.stride[0] * module.stride[1])
            weight.div_(DEVIATION * fan_in**0.5)


def uniform_noise(noise: Tensor) -> Tensor:
    """Turn standard normal noise into uniform noise in (-1, 1), exactly: erf(n / sqrt 2)."""
    return torch.erf(noise / 2**0.5)
