"""Normalisation of the decoder's features: plain batch norm, or modulated by the identity (paper, section 3.1.2)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.layers.blocks import initialise, pooled
from models.layers.plan import Plan, scaled

Normalisation = Callable[[int, Plan], nn.Module]  # (channels, plan of the generator) -> module called with (x, f_id)


class PlainNorm(nn.BatchNorm2d):
    """Batch norm that ignores the identity."""

    def __init__(self, channels: int, plan: Plan) -> None:
        super().__init__(channels)

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:  # type: ignore[override]
        """Normalise x of shape (B, C, H, W)."""
        return super().forward(x)


class IdentityModulation(nn.Module):
    """IM: batch norm whose scale and shift are functions of f_id; Eq. 2 and 3.

    Scale and shift are an MLP each, one hidden layer of 32 at width 1 (the published default of self-modulation, Chen
    et al., ICLR 2019; the paper gives no size). At the start the scale is 1 and the shift 0, whatever the identity.
    """

    HIDDEN = 32  # at width 1; it scales like the channels, so that the modulation's share of the generator stays small

    def __init__(self, channels: int, plan: Plan) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = self._mlp(plan, channels, bias=1.0)
        self.shift = self._mlp(plan, channels, bias=0.0)

    def _mlp(self, plan: Plan, channels: int, bias: float) -> nn.Sequential:
        size = scaled(self.HIDDEN, plan.width)
        hidden, last = nn.Linear(plan.features, size), nn.Linear(size, channels)
        initialise(hidden)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, bias)
        return nn.Sequential(hidden, nn.ReLU(), last)

    def attend(self, x: Tensor, identity: Tensor) -> Tensor:
        """Return the identity feature that modulates x; here all of it."""
        return identity

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:
        """Normalise and modulate.

        Args:
            x: B_i of shape (B, C, H, W).
            identity: f_id of shape (B, N_f).

        Returns:
            The modulated feature of shape (B, C, H, W).
        """
        attended = self.attend(x, identity)
        scale, shift = self.scale(attended)[:, :, None, None], self.shift(attended)[:, :, None, None]
        return torch.addcmul(shift, scale, self.norm(x))


class AdaptiveIdentityModulation(IdentityModulation):
    """AIM: the feature map chooses which part of f_id modulates it; Eq. 4 and 5.

    tau is an MLP with one hidden layer of 64 at width 1 and a sigmoid at its end, fed with the spatial mean of the
    feature before normalisation. The paper gives neither its depth nor its width.
    """

    TAU_HIDDEN = 64  # at width 1

    def __init__(self, channels: int, plan: Plan) -> None:
        super().__init__(channels, plan)
        size = scaled(self.TAU_HIDDEN, plan.width)
        self.tau = nn.Sequential(nn.Linear(channels, size), nn.ReLU(), nn.Linear(size, plan.features), nn.Sigmoid())
        self.tau.apply(initialise)

    def attend(self, x: Tensor, identity: Tensor) -> Tensor:
        """Return f_id^att = f_id * tau(B_f), of shape (B, N_f)."""
        attention: Tensor = self.tau(pooled(x))
        return identity * attention
