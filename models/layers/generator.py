"""The encoder-decoder generator of the paper with its exchangeable parts (paper, section 3.1 and Table 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.interface import NOISE, ModelSpec
from models.layers.activation import Elu
from models.layers.blocks import Encoder, initialise, pooled, uniform_noise
from models.layers.connection import NonalignmentConnection, SkipConnection
from models.layers.deformable import DeformableConvolution
from models.layers.modulation import AdaptiveIdentityModulation, IdentityModulation, Normalisation, PlainNorm
from models.layers.plan import Plan, connection_map, plan

Connection = NonalignmentConnection | SkipConnection
NORMALISATIONS: dict[str, Normalisation] = {
    "bn": PlainNorm,
    "im": IdentityModulation,
    "aim": AdaptiveIdentityModulation,
}


@dataclass(frozen=True)
class Parts:
    """The parts of a variant of the generator.

    Attributes:
        connection: what links encoder and decoder; `skip` passes the encoder's features on at every level.
        map: side of the connected map at 224 px, 28 or 56; `connection_map` gives the side at other sizes.
        modulation: how the decoder normalises.
        deformable: whether the last convolution of the decoder's level on that map is deformable.
    """

    connection: Literal["none", "cnc", "global", "skip"] = "none"
    map: Literal[28, 56] = 28
    modulation: Literal["bn", "im", "aim"] = "bn"
    deformable: bool = False

    def side(self, image_size: int) -> int | None:
        """Return the side of the map where CNC, Global-NC or the deformable convolution sits, None without them."""
        placed = self.deformable or self.connection in ("cnc", "global")
        return connection_map(image_size, self.map) if placed else None


class DecoderLayer(nn.Module):
    """Convolution, normalisation, ELU."""

    def __init__(self, convolution: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.convolution, self.norm, self.activation = convolution, norm, Elu()

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:
        """Return the layer's output for x of shape (B, C, H, W) and f_id of shape (B, N_f)."""
        y: Tensor = self.activation(self.norm(self.convolution(x), identity))
        return y


def convolutions(sizes: list[int], up: bool, deformable: bool) -> list[nn.Module]:
    """Return 3x3 convolutions without bias from each of `sizes` to the next.

    Args:
        sizes: the channels that come in, and those of every convolution.
        up: whether the first doubles the side; it is a transposed convolution with stride 2 then.
        deformable: whether the last is deformable.
    """
    made: list[nn.Module] = [nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in pairwise(sizes)]
    if up:
        made[0] = nn.ConvTranspose2d(sizes[0], sizes[1], 3, stride=2, padding=1, output_padding=1, bias=False)
    if deformable:
        made[-1] = DeformableConvolution(sizes[-2], sizes[-1])
    return made


class DecoderLevel(nn.Module):
    """The layers of one map size, and the connection that may follow them."""

    def __init__(self, layers: list[DecoderLayer], connection: Connection | None) -> None:
        super().__init__()
        self.layers, self.connection = nn.ModuleList(layers), connection

    def forward(self, x: Tensor, identity: Tensor, encoded: Tensor | None) -> Tensor:
        """Return the level's output for x (B, C, H, W), f_id (B, N_f) and the encoder's map X of this level's side."""
        for layer in self.layers:
            x = layer(x, identity)
        return x if self.connection is None else self.connection(encoded, x)


class Decoder(nn.Module):
    """From the latent vector to the image; the levels mirror the encoder's.

    Args:
        plan: of the encoder.
        latent: size of the latent vector.
        parts: what it is made of.
        scaled_logits: see `NonalignmentConnection`.
    """

    def __init__(self, plan: Plan, latent: int, parts: Parts, scaled_logits: bool = False) -> None:
        super().__init__()
        self.plan = plan
        self.dense = nn.Linear(latent, plan.features * plan.smallest**2)
        self.levels = nn.ModuleList()
        inputs = plan.features
        deepest = len(plan.channels) - 1
        for depth in range(deepest, -1, -1):
            outputs = list(reversed(plan.channels[depth]))
            placed = _is_placed(plan, depth, parts)
            up = depth < deepest  # the deepest level starts from the dense layer's map, which has its last channels
            sizes = [inputs, *outputs] if up else outputs
            made = zip(convolutions(sizes, up, parts.deformable and placed), sizes[1:], strict=True)
            norm = NORMALISATIONS[parts.modulation]
            connection = _connection(plan, depth, parts, scaled_logits)
            self.levels.append(DecoderLevel([DecoderLayer(c, norm(o, plan)) for c, o in made], connection))
            inputs = outputs[-1] if connection is None else connection.outputs
        self.image = nn.Conv2d(inputs, 3, 3, padding=1)

    def forward(self, latent: Tensor, identity: Tensor, encoded: Sequence[Tensor | None]) -> Tensor:
        """Decode.

        Args:
            latent: f_l = [f_id, z, C] of shape (B, N_f + N_z + N_a).
            identity: f_id of shape (B, N_f).
            encoded: the outputs of the encoder's levels, from full resolution downwards; None where nothing connects.

        Returns:
            Images of shape (B, 3, S, S), in [-1, 1].
        """
        x = self.dense(latent).unflatten(1, (self.plan.features, self.plan.smallest, self.plan.smallest))
        for level, feature in zip(self.levels, reversed(encoded), strict=True):
            x = level(x, identity, feature)
        return torch.tanh(self.image(x))


def _is_placed(plan: Plan, depth: int, parts: Parts) -> bool:
    """Return whether the variant's one connection or deformable convolution sits on this level."""
    side = parts.side(plan.image_size)
    return side is not None and depth == plan.level(side)


def _connection(plan: Plan, depth: int, parts: Parts, scaled_logits: bool) -> Connection | None:
    """Return the connection of a level, None if it has none."""
    channels = plan.channels[depth]
    if parts.connection == "skip":
        return SkipConnection(channels[-1], channels[0])
    if parts.connection == "none" or not _is_placed(plan, depth, parts):
        return None
    side = plan.image_size >> depth
    radius = side // 4 if parts.connection == "cnc" else None  # the paper's r: 7 at 28, 14 at 56, 6 at 24
    return NonalignmentConnection(channels[-1], channels[0], side, radius, scaled_logits)


def _initialise(module: nn.Module) -> None:
    """Initialise as DR-GAN does; the dense layers of a modulation have initialised themselves."""
    if isinstance(module, DeformableConvolution):
        module.reset()
    elif not isinstance(module, nn.Linear):
        initialise(module)


class Generator(nn.Module):
    """G = {Enc, Dec}: (image, view code, noise) -> image."""

    def __init__(self, spec: ModelSpec, parts: Parts, noise: int = NOISE) -> None:
        super().__init__()
        shape = plan(spec.image_size, spec.width)
        self.parts, self.noise, self.noise_scale = parts, noise, spec.noise
        self.encoder = Encoder(shape)
        latent = shape.features + noise + spec.views
        self.decoder = Decoder(shape, latent, parts, scaled_logits=spec.initialisation == "fan_in")
        self.apply(_initialise)
        initialise(self.decoder.dense)

    def forward(self, image: Tensor, code: Tensor, noise: Tensor) -> Tensor:
        """Return images of shape (B, 3, S, S) for images, codes (B, N_a) and standard normal noise (B, 128).

        Only the first `noise` numbers of the noise are used.
        """
        encoded = self.encoder(image)
        identity = pooled(encoded[-1])  # f_id, (B, N_f)
        turned: Tensor = self.decoder(self._latent(identity, code, noise), identity, encoded)
        return turned

    def _latent(self, identity: Tensor, code: Tensor, noise: Tensor) -> Tensor:
        """Return f_l = [f_id, z, C], of shape (B, N_f + N_z + N_a)."""
        return torch.cat([identity, self.noise_scale * uniform_noise(noise[:, : self.noise]), code], 1)

    def path_shares(self, image: Tensor, code: Tensor, noise: Tensor) -> dict[str, float]:
        """Return how much of the output hangs on each path from the encoder to the decoder.

        One path at a time is given what it would carry for the image's neighbour in the batch. The share is the mean
        absolute change of the output, divided by the change where all paths are given it; they need not add up to 1.

        Returns:
            `share_latent`, and where the generator has them `share_connection` and `share_modulation`.
        """
        encoded = self.encoder(image)
        own = {"latent": pooled(encoded[-1]), "modulation": pooled(encoded[-1]), "connection": encoded}
        other = {"latent": own["latent"].roll(1, 0), "modulation": own["modulation"].roll(1, 0)}
        other["connection"] = [feature.roll(1, 0) for feature in encoded]

        def decoded(paths: dict[str, Any]) -> Tensor:
            output: Tensor = self.decoder(
                self._latent(paths["latent"], code, noise), paths["modulation"], paths["connection"]
            )
            return output

        before, everything = decoded(own), decoded(other)
        whole = (everything - before).abs().mean()
        there = {"latent", *({"modulation"} if self.parts.modulation != "bn" else ())}
        there |= {"connection"} if self.parts.connection != "none" else set()
        changes = {name: (decoded({**own, name: other[name]}) - before).abs().mean() for name in own if name in there}
        return {f"share_{name}": float(change / whole) for name, change in changes.items()}
