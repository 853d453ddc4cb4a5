"""The encoder-decoder generator of the paper with its exchangeable parts (paper, section 3.1 and Table 2)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from models.interface import NOISE, ModelSpec
from models.layers.activation import Elu
from models.layers.blocks import Encoder, initialise, pooled, uniform_noise
from models.layers.connection import NonalignmentConnection
from models.layers.modulation import AdaptiveIdentityModulation, IdentityModulation, Normalisation, PlainNorm
from models.layers.plan import Plan, connection_map, plan

NORMALISATIONS: dict[str, Normalisation] = {
    "bn": PlainNorm,
    "im": IdentityModulation,
    "aim": AdaptiveIdentityModulation,
}


@dataclass(frozen=True)
class Parts:
    """What a variant of the generator is made of.

    Attributes:
        connection: what links encoder and decoder.
        map: side of the connected map at 224 px, 28 or 56; `connection_map` gives the side at other sizes.
        modulation: how the decoder normalises.
    """

    connection: Literal["none", "cnc", "global"] = "none"
    map: Literal[28, 56] = 28
    modulation: Literal["bn", "im", "aim"] = "bn"

    def side(self, image_size: int) -> int | None:
        """Return the side of the connected map, None without a connection."""
        return None if self.connection == "none" else connection_map(image_size, self.map)


class DecoderLayer(nn.Module):
    """3x3 convolution (or stride-2 transposed convolution), normalisation, ELU."""

    def __init__(self, inputs: int, outputs: int, features: int, normalisation: Normalisation, up: bool) -> None:
        super().__init__()
        self.convolution: nn.Module = (
            nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False)
            if up
            else nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        )
        self.norm = normalisation(outputs, features)
        self.activation = Elu()

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:
        """Return the layer's output for x of shape (B, C, H, W) and f_id of shape (B, N_f)."""
        y: Tensor = self.activation(self.norm(self.convolution(x), identity))
        return y


class DecoderLevel(nn.Module):
    """The layers of one map size, and the connection that may follow them.

    Args:
        inputs: channels that come in.
        outputs: channels of the layers.
        features: size N_f of f_id.
        parts: how to normalise.
        up: whether the first layer doubles the side.
        connection: what joins the encoder's map of the same side, if anything.
    """

    def __init__(
        self, inputs: int, outputs: list[int], features: int, parts: Parts, up: bool, connection: nn.Module | None
    ) -> None:
        super().__init__()
        normalisation = NORMALISATIONS[parts.modulation]
        sizes = enumerate(pairwise([inputs, *outputs]))
        self.layers = nn.ModuleList(
            DecoderLayer(i, o, features, normalisation, up=up and n == 0) for n, (i, o) in sizes
        )
        self.connection = connection

    def forward(self, x: Tensor, identity: Tensor, encoded: Tensor) -> Tensor:
        """Return the level's output for x (B, C, H, W), f_id (B, N_f) and the encoder's map X of this level's side."""
        for layer in self.layers:
            x = layer(x, identity)
        return x if self.connection is None else self.connection(encoded, x)


class Decoder(nn.Module):
    """From the latent vector to the image; the levels mirror the encoder's."""

    def __init__(self, plan: Plan, latent: int, parts: Parts) -> None:
        super().__init__()
        self.plan = plan
        self.dense = nn.Linear(latent, plan.features * plan.smallest**2)
        self.levels = nn.ModuleList()
        inputs = plan.features
        deepest = len(plan.channels) - 1
        for depth in range(deepest, -1, -1):
            outputs = list(reversed(plan.channels[depth]))
            connection = _connection(plan, depth, parts)
            up = depth < deepest  # the deepest level starts from the dense layer's map, which has its last channels
            layers = outputs if up else outputs[1:]
            self.levels.append(DecoderLevel(inputs, layers, plan.features, parts, up, connection))
            inputs = outputs[-1] if connection is None else connection.outputs
        self.image = nn.Conv2d(inputs, 3, 3, padding=1)

    def forward(self, latent: Tensor, identity: Tensor, encoded: list[Tensor]) -> Tensor:
        """Decode.

        Args:
            latent: f_l = [f_id, z, C] of shape (B, N_f + 128 + N_a).
            identity: f_id of shape (B, N_f).
            encoded: the outputs of the encoder's levels, from full resolution downwards.

        Returns:
            Images of shape (B, 3, S, S), in [-1, 1].
        """
        x = self.dense(latent).unflatten(1, (self.plan.features, self.plan.smallest, self.plan.smallest))
        for level, feature in zip(self.levels, reversed(encoded), strict=True):
            x = level(x, identity, feature)
        return torch.tanh(self.image(x))


def _connection(plan: Plan, depth: int, parts: Parts) -> NonalignmentConnection | None:
    """Return the connection of a level, None if it has none."""
    side = parts.side(plan.image_size)
    if side is None or depth != plan.level(side):
        return None
    radius = side // 4 if parts.connection == "cnc" else None  # the paper's r: 7 at 28, 14 at 56, 6 at 24
    channels = plan.channels[depth]
    return NonalignmentConnection(channels[-1], channels[0], side, radius)


def _initialise(module: nn.Module) -> None:
    """Initialise as DR-GAN does; the dense layers of a modulation have initialised themselves."""
    if not isinstance(module, nn.Linear):
        initialise(module)


class Generator(nn.Module):
    """G = {Enc, Dec}: (image, view code, noise) -> image."""

    def __init__(self, spec: ModelSpec, parts: Parts) -> None:
        super().__init__()
        shape = plan(spec.image_size, spec.width)
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape, shape.features + NOISE + spec.views, parts)
        self.apply(_initialise)
        initialise(self.decoder.dense)

    def forward(self, image: Tensor, code: Tensor, noise: Tensor) -> Tensor:
        """Return images of shape (B, 3, S, S) for images, codes (B, N_a) and standard normal noise (B, 128)."""
        encoded = self.encoder(image)
        identity = pooled(encoded[-1])  # f_id, (B, N_f)
        latent = torch.cat([identity, uniform_noise(noise), code], 1)
        turned: Tensor = self.decoder(latent, identity, encoded)
        return turned
