"""CNC written down as the paper's Eq. 1: every window is cut out."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.layers.connection import NonalignmentConnection


def unfolded(connection: NonalignmentConnection, encoded: Tensor, decoded: Tensor, radius: int) -> Tensor:
    """Return what `connection` returns.

    Args:
        connection: holds the projections.
        encoded: X of shape (B, C_X, H, W).
        decoded: Y of shape (B, C_Y, H, W).
        radius: of the window around each position.
    """
    width, batch, positions = 2 * radius + 1, len(decoded), decoded.shape[2] * decoded.shape[3]

    def windows(x: Tensor) -> Tensor:
        return F.unfold(x, width, padding=radius).reshape(batch, -1, width**2, positions)

    query = connection.query(decoded).flatten(2).unsqueeze(2)  # (B, C_h, 1, H W)
    key, value = windows(connection.key(encoded)), windows(connection.value(encoded))  # (B, C_h, window, H W)
    inside = windows(torch.ones_like(encoded[:, :1])) > 0
    logits = (query * key).sum(1, keepdim=True).masked_fill(~inside, -torch.inf)  # (B, 1, window, H W)
    z = (logits.softmax(2) * value).sum(2)
    return torch.cat([decoded, z.reshape(batch, -1, *decoded.shape[2:])], 1)
