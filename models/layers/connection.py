"""Connections from the encoder to the decoder: nonalignment (paper, section 3.1.1), and plain skips."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIP = 8  # rows of a map whose positions attend together

Strip = tuple[slice, slice]  # queries, and the keys among which are all that one of them sees


def neighbourhood(side: int, radius: int) -> Tensor:
    """Return which keys each query may see: a Boolean matrix of shape (side^2, side^2), rows the queries.

    The window of (2 radius + 1)^2 positions is centred at the query and cut off at the border of the map.
    """
    position = torch.arange(side)
    near = (position[:, None] - position[None, :]).abs() <= radius  # (side, side), for one axis
    return torch.kron(near.to(torch.uint8), near.to(torch.uint8)).bool()


def strips(side: int, radius: int) -> list[Strip]:
    """Return strips of rows of a map, with the rows around them that their windows reach."""
    reach = STRIP + radius
    return [
        (slice(first * side, (first + STRIP) * side), slice(max(0, first - radius) * side, (first + reach) * side))
        for first in range(0, side, STRIP)
    ]


class NonalignmentConnection(nn.Module):
    """Each position of the decoder's map attends to the encoder's map; Eq. 1 and F = [Y, Z].

    With `radius` it is the paper's CNC, which looks only into the neighbourhood N_p of each position p; without it is
    Global-NC, which looks everywhere. The paper leaves open the size C_h of the common space: it is half of C_X here,
    the default of non-local networks. The key projection has no bias: adding the same number to all logits of a query
    changes nothing.

    The logits are not scaled in Eq. 1, which fits the published start: with weights from N(0, 0.02) they differ by 0.5
    to 0.75 (standard deviation). Where weights start larger, `scaled_logits` divides them by sqrt(C_h), as non-local
    networks do; without it a few positions have all the attention before anything is learned.

    A window spares work where whole rows of keys are out of sight: strip by strip, 54 % of all logits are computed at
    56x56 and 63 % at 28x28 (the windows hold 20 % and 22 %). On a GPU masked attention in float32 takes PyTorch's
    memory-efficient kernel. FlexAttention would compute 51 % and 59 %, as its blocks of 128 positions are rows, too.
    """

    def __init__(
        self, encoder_channels: int, decoder_channels: int, side: int, radius: int | None, scaled_logits: bool = False
    ) -> None:
        super().__init__()
        hidden = encoder_channels // 2  # C_h
        self.factor = hidden**-0.5 if scaled_logits else 1.0  # on the logits
        self.key = nn.Conv2d(encoder_channels, hidden, 1, bias=False)
        self.value = nn.Conv2d(encoder_channels, hidden, 1)
        self.query = nn.Conv2d(decoder_channels, hidden, 1)
        self.outputs = decoder_channels + hidden
        window = None if radius is None else neighbourhood(side, radius)
        self.strips = [(slice(None), slice(None))] if radius is None else strips(side, radius)
        self.register_buffer("window", window, persistent=False)
        self.window: Tensor | None

    def forward(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Connect X to Y.

        Args:
            encoded: X of shape (B, C_X, H, W).
            decoded: Y of shape (B, C_Y, H, W).

        Returns:
            F = [Y, Z] of shape (B, C_Y + C_h, H, W).
        """
        query, key, value = (_positions(p) for p in (self.query(decoded), self.key(encoded), self.value(encoded)))
        with torch.autocast(decoded.device.type, enabled=False):  # logits overflow in half precision
            found = []
            for rows, keys in self.strips:
                seen = None if self.window is None else self.window[rows, keys]
                own = query[:, :, rows], key[:, :, keys], value[:, :, keys]
                found.append(F.scaled_dot_product_attention(*own, seen, scale=self.factor))
            attended = torch.cat(found, 2)
        z = attended.squeeze(1).transpose(1, 2).reshape(len(decoded), -1, *decoded.shape[2:]).to(decoded.dtype)
        return torch.cat([decoded, z], 1)

    def attention(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Return the weights that `forward` gives to the values: (B, H W, H W), one row for each position of Y."""
        query, key = _positions(self.query(decoded)), _positions(self.key(encoded))
        logits = self.factor * (query @ key.transpose(2, 3)).squeeze(1)
        if self.window is not None:
            logits = logits.masked_fill(~self.window, -torch.inf)
        return logits.softmax(2)

    def describe(self, encoded: Tensor, decoded: Tensor) -> dict[str, float]:
        """Return how the attention is spread, as means over all images and positions p of Y.

        Returns:
            `attention_entropy`: entropy of the weights as a share of the highest possible one, the logarithm of the
            number of positions in sight: 1 where all weigh the same, 0 where one has everything.
            `attention_distance`: distance of the position with the largest weight from p, as a share of the map's side.
        """
        entropy, distance = [], []
        side = decoded.shape[3]
        rows, columns = (axis.flatten() for axis in torch.meshgrid(*2 * [torch.arange(side)], indexing="ij"))
        for image in range(len(encoded)):  # one at a time: the weights of an image are many
            weights = self.attention(encoded[image, None], decoded[image, None])[0]
            seen = torch.full((side**2,), side**2) if self.window is None else self.window.sum(1)
            entropy.append((torch.special.entr(weights).sum(1) / seen.log()).mean())
            best = weights.argmax(1).cpu()
            distance.append(torch.hypot((rows[best] - rows).float(), (columns[best] - columns).float()).mean() / side)
        return {
            "attention_entropy": float(torch.stack(entropy).mean()),
            "attention_distance": float(torch.stack(distance).mean()),
        }


def _positions(feature: Tensor) -> Tensor:
    """Return (B, C, H, W) as (B, 1, H W, C), in single precision."""
    return feature.flatten(2).transpose(1, 2).float().unsqueeze(1)


class SkipConnection(nn.Module):
    """The skip of a U-net: [Y, X], position by position."""

    def __init__(self, encoder_channels: int, decoder_channels: int) -> None:
        super().__init__()
        self.outputs = encoder_channels + decoder_channels

    def forward(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Return (B, C_Y + C_X, H, W) for X of shape (B, C_X, H, W) and Y of shape (B, C_Y, H, W)."""
        return torch.cat([decoded, encoded], 1)
