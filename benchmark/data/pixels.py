"""Pixels as bytes, and as the numbers that networks see."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_float(images: NDArray[np.uint8] | Tensor) -> Tensor:
    """Turn images of shape (B, S, S, 3), 0 .. 255, to a tensor of shape (B, 3, S, S) in [-1, 1], channels last."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Turn a tensor of shape (B, 3, S, S) in [-1, 1] to images of shape (B, S, S, 3), 0 .. 255, rounded."""
    scaled = images.detach().float().cpu().permute(0, 2, 3, 1).add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).contiguous().numpy()
