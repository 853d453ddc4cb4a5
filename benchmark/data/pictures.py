"""One picture: from the file to upright RGB pixels, and from those to the square that the models see."""

import math
import stat
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from benchmark.errors import BenchmarkError

Pixels = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000")  # no EPS: Pillow would run Ghostscript on it
MOST_PIXELS = 89_000_000  # just under the size at which Pillow warns of a decompression bomb
DEEPEST = 65535
END_OF_JPEG2000 = b"\xff\xd9"  # OpenJPEG takes a stream that is cut off between two packets for a whole one
DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")  # 16 bits for each pixel; Pillow's `convert` would clip them at 255


def decode(path: Path) -> Pixels:
    """Return the first frame of an image file as H x W x 3, upright (EXIF), alpha over white.

    Colour profiles are not applied.

    Raises:
        BenchmarkError: the file is missing, damaged, no image, or too large to decode safely.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is no file")
        with Image.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"it has {picture.width} x {picture.height} pixels")
            if picture.format == "JPEG2000" and END_OF_JPEG2000 not in path.read_bytes():
                raise ValueError("it is truncated")
            return np.asarray(_rgb(ImageOps.exif_transpose(picture)))
    except MemoryError:
        raise
    except UnidentifiedImageError:
        raise BenchmarkError(
            f"{path} is no readable image: it is damaged, or none of {', '.join(FORMATS)}, which others "
            "such as HEIC must be converted to"
        ) from None
    except Exception as error:  # damaged files fail in many ways; what only a programmer understands is left out
        telling = isinstance(error, OSError | ValueError | SyntaxError | Image.DecompressionBombError)
        said = getattr(error, "strerror", None) or (str(error) if telling else "")
        raise BenchmarkError(f"{path} is no readable image: {' '.join(said.split()) or 'it is damaged'}") from None


def size(path: Path) -> tuple[int, int] | None:
    """Return width and height of an image file, from its head alone; None if that is no readable image's."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            if not stat.S_ISREG(path.stat().st_mode):
                return None
            with Image.open(path, formats=FORMATS) as picture:
                return picture.size
    except MemoryError:
        raise
    except Exception:  # damaged files fail in many ways; `decode` says in which
        return None


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if picture.mode in DEEP:
        deep = np.asarray(picture)
        if deep.min() < 0 or deep.max() > DEEPEST:
            raise ValueError("its pixels are whole numbers beyond 16 bits")
        return Image.fromarray(np.rint(deep / 257).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    rgba = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def crop(picture: Pixels, box: Sequence[float] | None, image_size: int, margin: float) -> Pixels:
    """Return the square of a picture that the models see.

    The box is enlarged by `margin` of its sides on each side, clipped to the picture, made square by repeating
    the border, and resized with Pillow's bicubic filter, whose support grows with the reduction (so nothing aliases).
    A box with a roll is first made upright: its surroundings are turned about its centre, the border repeated.

    Args:
        picture: H x W x 3, uint8.
        box: x0, y0, x1, y1 in pixels from 0, right and lower edges exclusive, and perhaps its roll, see `manifest`;
            null: the whole picture.
        image_size: side S of the square.
        margin: share of the box's sides.

    Returns:
        S x S x 3, uint8.

    Raises:
        BenchmarkError: the box lies outside the picture.
    """
    height, width = picture.shape[:2]
    x0, y0, x1, y1, *roll = map(float, box if box is not None else (0, 0, width, height))
    if x1 <= max(0, x0) or y1 <= max(0, y0) or x0 >= width or y0 >= height:
        raise BenchmarkError(f"the box {[x0, y0, x1, y1]} lies outside the picture of {width} x {height} pixels")
    if roll:
        picture, (x0, y0, x1, y1) = _upright(picture, (x0, y0, x1, y1), roll[0], margin)
        height, width = picture.shape[:2]
    left, right = _window(x0, x1, margin, width)
    top, bottom = _window(y0, y1, margin, height)
    height, width = bottom - top, right - left
    side = max(height, width)
    if side**2 > MOST_PIXELS:
        raise BenchmarkError(f"a part of {width} x {height} pixels is too long to be made square")
    above, before = (side - height) // 2, (side - width) // 2
    around = (above, side - height - above), (before, side - width - before), (0, 0)
    square = Image.fromarray(np.pad(picture[top:bottom, left:right], around, mode="edge"))
    return np.asarray(square.resize((image_size, image_size), Image.Resampling.BICUBIC))


def _upright(
    picture: Pixels, box: tuple[float, float, float, float], roll: float, margin: float
) -> tuple[Pixels, tuple[float, float, float, float]]:
    """Return the surroundings of a box, turned back by `roll` degrees about its centre, and the box in them."""
    x0, y0, x1, y1 = box
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    reach = math.ceil((0.5 + margin) * math.hypot(x1 - x0, y1 - y0)) + 2  # the corners of the enlarged box, and room
    if (2 * reach) ** 2 > MOST_PIXELS:
        raise BenchmarkError(f"a part of {x1 - x0:.0f} x {y1 - y0:.0f} pixels is too large to be turned")
    left, top = round(x) - reach, round(y) - reach
    rows, columns = (
        np.clip(np.arange(start, start + 2 * reach), 0, length - 1)
        for start, length in zip((top, left), picture.shape[:2], strict=True)
    )
    around = Image.fromarray(picture[np.ix_(rows, columns)])
    turned = around.rotate(roll, Image.Resampling.BICUBIC, center=(x - left, y - top))
    return np.asarray(turned), (x0 - left, y0 - top, x1 - left, y1 - top)


def _window(low: float, high: float, margin: float, length: int) -> tuple[int, int]:
    """Return the enlarged interval in whole pixels, at least one of them, within 0 and `length`."""
    more = margin * (high - low)
    start = min(max(round(low - more), 0), length - 1)
    return start, max(min(round(high + more), length), start + 1)
