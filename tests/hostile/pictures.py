"""Image files of every kind: what is odd and legal with its right pixels, and what no one can read."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.hostile.places import SIDE, noise

Pixels = NDArray[np.uint8]
Legal = tuple[str, Callable[[Path], object], Pixels, int]  # file name, writer, right pixels, tolerance
Unreadable = tuple[str, Callable[[Path], object]]

ODD_NAMES = (
    *("noise", "A.PNG", ".hidden.png", "deep/er/a.png", "NA", "nan", "-rf.png", "a b c.png", "100%s{0}.png"),
    *("автомобиль.png", "車 正面.png", "e\u0301.png", "🚗.png", "\u202egnp.png", "n" * 251 + ".png"),
    *("a|b.png", "=1+1.png", "<b>x.png", "&amp;.png", 'a "b", c.png'),
    *("'; touch pwned; '.png", "$(touch pwned).png", "`touch pwned`.png"),
)
RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
NOISE = Image.fromarray(noise(99))


def halves(left: tuple[int, ...], right: tuple[int, ...]) -> Pixels:
    """Return a picture of two colours."""
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    pixels[:, : SIDE // 2], pixels[:, SIDE // 2 :] = left, right
    return pixels


def picture(mode: str, left: Any, right: Any) -> Image.Image:
    """Return the same in any of Pillow's modes."""
    made = Image.new(mode, (SIDE, SIDE), left)
    made.paste(right, (SIDE // 2, 0, SIDE, SIDE))
    return made


def saved(made: Image.Image, kind: str = "PNG", **options: Any) -> Callable[[Path], object]:
    return lambda path: made.save(path, kind, **options)


def content(made: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    made.save(file, kind, **options)
    return file.getvalue()


def holding(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def palette() -> Image.Image:
    made = picture("P", 0, 1)
    made.putpalette([255, 0, 0, 0, 0, 255])
    return made


def turned(orientation: int) -> Callable[[Path], object]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(NOISE, "PNG", exif=exif)


UPRIGHT = {  # what the eight orientations of EXIF ask for
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p.transpose(1, 0, 2)[:, ::-1],
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p.transpose(1, 0, 2)[::-1],
}


def _frames(kind: str) -> Callable[[Path], object]:
    second = Image.new("RGB", (SIDE, SIDE), "white")
    first = palette() if kind == "GIF" else picture("RGB", RED, BLUE)
    lossless = {"lossless": True} if kind == "WEBP" else {}
    return saved(first, kind, save_all=True, append_images=[second], **lossless)


def legal() -> Iterator[tuple[str, Legal]]:
    """Yield name and file of what is odd and legal."""
    two, plain = halves(RED, BLUE), noise(99)
    png = saved(NOISE)
    yield "cmyk tiff", ("a.tif", saved(picture("CMYK", (0, 255, 255, 0), (255, 255, 0, 0)), "TIFF"), two, 0)
    yield (
        "cmyk jpeg",
        (
            "a.jpg",
            saved(Image.new("CMYK", (SIDE, SIDE), (0, 255, 255, 0)), "JPEG", quality=100),
            halves(RED, RED),
            8,
        ),
    )
    yield "palette png", ("a.png", saved(palette()), two, 0)
    yield "palette gif", ("a.gif", saved(palette(), "GIF"), two, 0)
    yield "palette bmp", ("a.bmp", saved(palette(), "BMP"), two, 0)
    yield "transparent palette", ("a.png", saved(palette(), transparency=0), halves(WHITE, BLUE), 0)
    yield "one bit", ("a.png", saved(picture("1", 0, 1)), halves(BLACK, WHITE), 0)
    yield "one bit tiff", ("a.tif", saved(picture("1", 0, 1), "TIFF", compression="group4"), halves(BLACK, WHITE), 0)
    yield "grey", ("a.png", saved(picture("L", 10, 200)), halves((10,) * 3, (200,) * 3), 0)
    deep = halves((10,) * 3, (200,) * 3)
    yield "16 bit png", ("a.png", saved(picture("I;16", 2570, 51400)), deep, 0)
    yield "16 bit tiff", ("a.tif", saved(picture("I;16", 2570, 51400), "TIFF"), deep, 0)
    yield "16 bit pgm", ("a.pgm", saved(picture("I", 2570, 51400), "PPM"), deep, 0)
    yield "alpha png", ("a.png", saved(picture("RGBA", (*RED, 0), (*BLUE, 255))), halves(WHITE, BLUE), 0)
    yield "half alpha", ("a.png", saved(picture("RGBA", (0, 0, 0, 51), (*BLUE, 255))), halves((204,) * 3, BLUE), 0)
    yield "grey alpha", ("a.png", saved(picture("LA", (0, 0), (0, 255))), halves(WHITE, BLACK), 0)
    yield (
        "alpha webp",
        (
            "a.webp",
            saved(picture("RGBA", (*RED, 0), (*BLUE, 255)), "WEBP", lossless=True),
            halves(WHITE, BLUE),
            0,
        ),
    )
    yield "alpha tiff", ("a.tif", saved(picture("RGBA", (*RED, 0), (*BLUE, 255)), "TIFF"), halves(WHITE, BLUE), 0)
    for orientation, upright in UPRIGHT.items():
        yield f"exif {orientation}", ("a.png", turned(orientation), upright(plain), 0)
    for orientation in (0, 9, 65535):
        yield f"exif {orientation}", ("a.png", turned(orientation), plain, 0)
    yield "lab tiff", ("a.tif", saved(Image.new("LAB", (SIDE, SIDE), (255, 128, 128)), "TIFF"), halves(WHITE, WHITE), 1)
    yield (
        "exif in a jpeg",
        (
            "a.jpg",
            saved(picture("RGB", RED, BLUE), "JPEG", quality=100, subsampling=0, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
            two,
            8,
        ),
    )
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        yield f"animated {kind}", (f"a.{kind.lower()}", _frames(kind), two, 0)
    yield "two pictures in one jpeg", ("a.jpg", saved(picture("RGB", RED, RED), "MPO"), halves(RED, RED), 8)
    for kind, suffix in (("PNG", "jpg"), ("PNG", "txt"), ("BMP", "png"), ("TIFF", "jpeg"), ("PPM", "gif")):
        yield f"{kind} called .{suffix}", (f"a.{suffix}", saved(NOISE, kind), plain, 0)
    for name in ODD_NAMES:
        yield f"named {name[:30]}", (name, png, plain, 0)
    yield "tiff lzw", ("a.tif", saved(NOISE, "TIFF", compression="tiff_lzw"), plain, 0)
    yield "text in png", ("a.png", saved(NOISE, pnginfo=_comment()), plain, 0)
    yield "bytes behind the end", ("a.png", holding(content(NOISE, "PNG") + bytes(1000)), plain, 0)
    yield "without its end", ("a.png", holding(content(NOISE, "PNG")[:-12]), plain, 0)
    yield "one pixel", ("a.png", saved(Image.new("RGB", (1, 1), RED)), halves(RED, RED), 0)


def _comment() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    return info


FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpg": ("JPEG", {}),
    "progressive.jpg": ("JPEG", {"progressive": True}),
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "tif": ("TIFF", {}),
    "webp": ("WEBP", {}),
    "lossless.webp": ("WEBP", {"lossless": True}),
    "ppm": ("PPM", {}),
    "jp2": ("JPEG2000", {}),
}
SHARES = (0.02, 0.3, 0.6, 0.9)  # of the bytes, that are left


def _truncated() -> Iterator[tuple[str, Unreadable]]:
    for suffix, (kind, options) in FORMATS.items():
        whole = content(NOISE, kind, **options)
        for share in SHARES:
            yield f"{suffix} of which {share:.0%} is left", (f"a.{suffix}", holding(whole[: int(share * len(whole))]))
    stream = content(NOISE, "JPEG2000", no_jp2=True)
    end = stream.index(b"\xff\x93") + 2  # where the packets begin
    yield "jpeg 2000 without a packet", ("a.jp2", holding(stream[:end]))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + _chunk(b"IDAT", zlib.compress(bytes(99)))


def _gif(width: int, height: int, frame: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, frame, frame, 0) + b"\x02\x02\x4c\x01\x00;"


def _tiff(side: int) -> bytes:
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 10)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def _webp(side: int) -> bytes:
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (side - 1).to_bytes(3, "little") * 2
    frame = b"VP8L" + struct.pack("<I", 6) + b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + b"\0"
    body = b"WEBP" + extended + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _jpeg(side: int) -> bytes:
    whole = bytearray(content(NOISE, "JPEG"))
    start = whole.index(b"\xff\xc0") + 5
    whole[start : start + 4] = struct.pack(">HH", side, side)
    return bytes(whole)


def _bmp(side: int) -> bytes:
    whole = bytearray(content(NOISE, "BMP"))
    whole[18:26] = struct.pack("<ii", side, side)
    return bytes(whole)


def _bombs() -> Iterator[tuple[str, Unreadable]]:
    """Yield small files that unfold to gigabytes: above the limit of Pillow, and between it and that of the suite."""
    for side in (9_500, 16_000):
        yield f"png of {side} px", ("a.png", holding(png_header(side, side)))
        yield f"gif of {side} px", ("a.gif", holding(_gif(side, side, side)))
        yield f"gif with a frame of {side} px", ("a.gif", holding(_gif(SIDE, SIDE, side)))
        yield f"tiff of {side} px", ("a.tif", holding(_tiff(side)))
        yield f"webp of {side} px", ("a.webp", holding(_webp(side)))
        yield f"jpeg of {side} px", ("a.jpg", holding(_jpeg(side)))
        yield f"bmp of {side} px", ("a.bmp", holding(_bmp(side)))
        yield f"ppm of {side} px", ("a.ppm", holding(b"P6 %d %d 255\n" % (side, side)))
    yield "png of 2^31 px", ("a.png", holding(png_header(2**31 - 1, 2**31 - 1)))
    bomb = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10**8)))
    yield "text that unfolds", ("a.png", holding(png_header(SIDE, SIDE, bomb)))
    yield "thread of pixels", ("a.png", saved(Image.new("1", (50_000, 1))))


def _others() -> Iterator[tuple[str, Unreadable]]:
    yield "nothing", ("a.png", holding(b""))
    yield "one byte", ("a.png", holding(b"\x89"))
    yield "text", ("a.jpg", holding(b"this is no picture"))
    yield "html", ("a.jpg", holding(b"<html><script>alert(1)</script></html>"))
    yield "random bytes", ("a.jpg", holding(noise(5).tobytes()))
    yield "zip", ("a.png", holding(b"PK\x03\x04" + bytes(100)))
    yield "pdf", ("a.png", holding(b"%PDF-1.7\n1 0 obj\n"))
    yield "svg", ("a.svg", holding(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'))
    yield "svg called .png", ("a.png", holding(b'<?xml version="1.0"?><svg width="9" height="9"/>'))
    yield "eps", ("a.eps", saved(NOISE, "EPS"))
    yield "eps called .jpg", ("a.jpg", saved(NOISE, "EPS"))
    yield "postscript", ("a.eps", holding(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(pwned) (w) file"))
    yield "ico", ("a.ico", saved(NOISE, "ICO"))
    yield "float tiff", ("a.tif", saved(Image.new("F", (SIDE, SIDE), 0.5), "TIFF"))
    yield "32 bit tiff", ("a.tif", saved(Image.new("I", (SIDE, SIDE), 70_000), "TIFF"))
    yield "negative tiff", ("a.tif", saved(Image.new("I", (SIDE, SIDE), -1), "TIFF"))
    yield "exif that is noise", ("a.png", saved(NOISE, exif=b"Exif\0\0" + bytes(range(40))))
    yield "png without pixels", ("a.png", holding(png_header(0, 0)))
    yield "png with a wrong checksum", ("a.png", holding(content(NOISE, "PNG").replace(b"IHDR\0\0\0", b"IHDR\0\0\1")))
    yield "gif without frames", ("a.gif", holding(b"GIF89a\x10\0\x10\0\0\0\0;"))
    yield "tiff that points to itself", ("a.tif", holding(b"II*\0\x08\0\0\0\0\0\x08\0\0\0"))
    yield "folder", ("a.png", Path.mkdir)
    yield "pipe", ("a.png", os.mkfifo)
    yield "nothing there", ("a.png", lambda path: None)
    yield "link to nothing", ("a.png", lambda path: path.symlink_to("gone.png"))
    yield "link to a folder", ("a.png", lambda path: path.symlink_to("."))
    yield "file in a file", ("000.png/a.png", lambda path: None)


def unreadable() -> Iterator[tuple[str, Unreadable]]:
    """Yield name and file of what cannot be read."""
    yield from _truncated()
    yield from _bombs()
    yield from _others()


LEGAL: dict[str, Legal] = dict(legal())
UNREADABLE: dict[str, Unreadable] = dict(unreadable())
