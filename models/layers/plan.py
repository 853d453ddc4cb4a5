"""Channels and sizes of the DR-GAN plan (Tran et al., CVPR 2017, table 2), for any image size."""

from dataclasses import dataclass

# Channels of the 3x3 convolutions of each level, from full resolution downwards. Five levels are published for 96 px;
# the sixth, for 224 px, repeats the pattern: with five, the first dense layer would hold 28 of 34 million parameters.
LEVELS = ((32, 64), (64, 64, 128), (128, 96, 192), (192, 128, 256), (256, 160, 320), (320, 200, 320))
SMALLEST = range(4, 8)  # sides of the deepest map: 7 at 224 px, 6 at 96, 4 at 64 and 32


@dataclass(frozen=True)
class Plan:
    """The levels of an encoder and of the decoder that mirrors it.

    Attributes:
        image_size: side S of the images.
        width: what the published numbers of channels are multiplied by.
        channels: for each level, the output channels of its convolutions in the encoder.
    """

    image_size: int
    width: float
    channels: tuple[tuple[int, ...], ...]

    @property
    def features(self) -> int:
        """Size N_f of the pooled feature f_id."""
        return self.channels[-1][-1]

    @property
    def smallest(self) -> int:
        """Side of the deepest map."""
        return self.image_size >> (len(self.channels) - 1)

    def level(self, side: int) -> int:
        """Return the level whose maps have `side`."""
        return (self.image_size // side).bit_length() - 1


def plan(image_size: int, width: float = 1.0) -> Plan:
    """Return the plan for an image size, every channel number multiplied by `width` and rounded to a multiple of 8.

    Raises:
        ValueError: halving `image_size` never gives a whole number between 4 and 7.
    """
    levels = next((n for n in range(1, 12) if image_size / 2 ** (n - 1) in SMALLEST), 0)
    if not levels:
        raise ValueError(f"image_size {image_size} is not 4, 5, 6 or 7 times a power of two (such as 32, 64, 96, 224)")
    published = [LEVELS[min(n, len(LEVELS) - 1)] for n in range(levels)]
    return Plan(image_size, width, tuple(tuple(scaled(c, width) for c in level) for level in published))


def scaled(channels: int, width: float) -> int:
    """Return `channels` times `width`, rounded to a multiple of 8, at least 8."""
    return max(8, round(channels * width / 8) * 8)


def connection_map(image_size: int, published: int) -> int:
    """Return the side of the map that stands for the paper's 28 or 56 (of 224 px) at another image size.

    | image | 224 | 128 | 96 | 64 | 32 |
    |---|---|---|---|---|---|
    | "28" | 28 | 16 | 24 | 16 | 8 |
    | "56" | 56 | 32 | 48 | 32 | 16 |

    From 128 px on it is the same fraction as in the paper; below, a quarter and a half of the image: the paper itself
    connects the 24x24 map of 96 px.
    """
    quarter = image_size // (8 if image_size >= 128 else 4)
    return {28: quarter, 56: 2 * quarter}[published]
