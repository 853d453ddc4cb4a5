"""Tables of labels (annotations.csv), badly written and oddly: what is said of each, or what is read from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.hostile.places import EACH, IDENTITIES, table

Words = tuple[str, ...]
Refused = tuple[bytes, Words]  # content, words of the sentence
Check = Callable[[pd.DataFrame], bool]  # of the manifest, by image

FILE = "annotations.csv"
HEADER = "image,identity,view\n"


def lines(*rows: str, header: str = HEADER) -> bytes:
    return (header + "".join(f"{row}\n" for row in rows)).encode()


def changed(column: str, value: str) -> bytes:
    """Return the whole table with one value changed in line 7."""
    frame = table()
    if column not in frame.columns:
        frame[column] = ""
    frame.loc[5, column] = value
    content: bytes = frame.to_csv(index=False, lineterminator="\n").encode()
    return content


def refused() -> Iterator[tuple[str, Refused]]:
    """Yield the name of what is refused, its content and words that the sentence must have."""
    yield "empty", (b"", ("no column image",))
    yield "blank lines", (b"\n\n \n", ("no column image",))
    yield "header alone", (lines(), ("lists no images",))
    for column in ("image", "identity", "view"):
        header = HEADER.replace(column, "other")
        yield f"without {column}", (lines("000.png,car,left", header=header), ("line 1", f"no column {column}"))
    yield "column twice", (lines("a,b,c,d", header="image,identity,view,view\n"), ("line 1", "stands there twice"))
    yield "columns without names", (lines("a,b,c,x,y", header="image,identity,view,,\n"), ("stands there twice",))
    yield (
        "separated by bars",
        (b"image|identity|view\n000.png|car|left\n", ("no column image", "'image|iden")),
    )
    yield "too few fields", (lines("000.png,car"), ("line 2", "expected 3 fields", "got 2"))
    yield "too many fields", (lines("000.png,car,left,,"), ("line 2", "expected 3 fields", "got 5"))
    yield "quote left open", (lines('000.png,"car,left'), ("line 2", "quotes"))
    yield "text behind a quote", (lines('000.png,"car"x,left'), ("line 2", "quotes"))
    yield "utf-16", (lines("000.png,car,left").decode().encode("utf-16"), ("not UTF-8",))
    yield "utf-16 without mark", (lines("000.png,car,left").decode().encode("utf-16-le"), ("no column image",))
    yield "latin-1", (lines("000.png,Citroën,left").decode().encode("latin-1"), ("not UTF-8",))
    yield "binary", (bytes(range(256)) * 9, ("not UTF-8",))
    yield "NUL", (changed("identity", "car\0"), ("line 7", "NUL"))
    yield "NUL in an unused column", (changed("notes", "\0"), ("line 7", "NUL"))
    yield "field of a megabyte", (changed("identity", "x" * 10**6), ("line 7", "field larger"))
    yield "field of 100 kB", (changed("identity", "x" * 10**5), ("line 7", "identity", "more than 200"))
    yield "100,000 columns", (",".join(map(str, range(10**5))).encode(), ("no column image",))
    yield "image twice", (changed("image", "006.png"), ("line 8", "stands there twice"))
    yield "image twice in two ways", (changed("image", "./006.png"), ("line 8", "stands there twice"))
    yield "image without a name", (changed("image", ""), ("line 7", "must be a path"))
    yield "a thousand folders", (changed("image", "a/" * 1000 + "b.png"), ("line 7", "too long"))
    yield "name of 300 bytes", (changed("image", "ü" * 150 + ".png"), ("line 7", "too long"))
    for path in ("../a.png", "a/../../b.png", "/etc/passwd", "//etc/passwd", "..", "a\\b.png", "C:\\a.png", "~/../.."):
        yield f"image {path}", (changed("image", path), ("line 7", "must be a path relative to pictures"))
    for character in ("\n", "\x1b[31m", "\x7f", "\x85", "\t"):
        yield f"image with {character!r}", (changed("image", f"a{character}b.png"), ("line", "control character"))
        yield f"identity with {character!r}", (changed("identity", f"a{character}b"), ("line", "control character"))
    yield "bare CR", (changed("identity", "a\rb"), ("line",))
    yield "group with a line break", (changed("group", "a\nb"), ("group", "control character"))
    yield "identity without a name", (changed("identity", " "), ("line 7", "is empty"))
    for view in (
        "",
        "NA",
        "lft",
        "left\nright",
        "<script>alert(1)</script>",
        "../x",
        "=1+1",
        "|",
        "left;rm",
        "x" * 10**4,
    ):
        yield f"view {view[:30]!r}", (changed("view", view), ("view", "is not in data.views, which has left"))
    for box in (
        "1 2 3",
        "1 2 3 4 5",
        "a b c d",
        "5 1 5 9",
        "9 9 1 1",
        "nan 1 5 9",
        "inf 0 1 1",
        "0 0 1e7 1",
        "1,2,3,4",
    ):
        yield f"box {box}", (changed("box", box), ("line 7", "is no box"))
    yield "three corners", (lines("a.png,car,left,1,1,5", header="image,identity,view,x0,y0,x1\n"), ("no column y1",))
    for split in ("auxiliary", "train", "Standard", "0"):
        yield f"split {split} once", (changed("split", split), ("line", "neither auxiliary nor standard"))
    both = table(split=["auxiliary", "standard"] * (IDENTITIES * EACH // 2))
    yield "identity in both splits", (both.to_csv(index=False).encode(), ("line 3", "in both splits"))
    for azimuth in ("nan", "inf", "-inf", "", "north", "1e7", "1e400", "0x10", "1_0", "٣", "1,5", "--1", "12°"):
        yield f"azimuth {azimuth}", (_azimuths(azimuth), ("line 7", "azimuth_deg", "is no number"))
    yield "no rear images wanted", (lines("000.png,car,rear"), ("no image is left",))


def _azimuths(value: str) -> bytes:
    frame = table().drop(columns="view").assign(azimuth_deg="90")
    frame.loc[5, "azimuth_deg"] = value
    content: bytes = frame.to_csv(index=False).encode()
    return content


def _reads(column: str, value: Any) -> tuple[bytes, Check]:
    """Return a table whose value in line 7 is read as it stands."""
    return changed(column, value), lambda read: bool(read.at["005.png", column] == value)


def legal() -> Iterator[tuple[str, tuple[bytes, Check]]]:
    """Yield the name of what is odd and legal, its content, and a check of what was read."""
    plain = table().to_csv(index=False, lineterminator="\n")
    expected = table().set_index("image")

    def same(read: pd.DataFrame) -> bool:
        return bool((read[["identity", "view"]] == expected).all(axis=None))

    yield "with a byte order mark", (b"\xef\xbb\xbf" + plain.encode(), same)
    yield "CRLF", (plain.replace("\n", "\r\n").encode(), same)
    yield "no line break at the end", (plain.rstrip("\n").encode(), same)
    yield "blank lines and spaces", (plain.replace("\n", " \n\n").replace(",", " , ").encode(), same)
    yield "everything quoted", (table().to_csv(index=False, quoting=1).encode(), same)
    yield "columns in another order", (table()[["view", "image", "identity"]].to_csv(index=False).encode(), same)
    for name, separator in {"semicolons": ";", "tabs": "\t"}.items():
        yield name, (table().to_csv(index=False, sep=separator).encode(), same)
    yield "empty columns without names", (plain.replace("\n", ",,\n").encode(), same)
    yield "columns nobody asked for", (table(note="a,\nb", owner="<b>").to_csv(index=False).encode(), same)
    yield "200 columns more", (table(**{f"c{i}": "" for i in range(200)}).to_csv(index=False).encode(), same)
    yield "both view and azimuth", (table(azimuth_deg="200").to_csv(index=False).encode(), same)
    names = ("<script>alert(1)</script>", "../x", "/etc", "NA", "nan", "None", "null", "0", "1e5", "=1+1", "@SUM(A1)")
    for name in (*names, "a|b", '"', "'", "$x$", "\\", "%s", "{}", "é", "車", "🚗", "\u202exe", "x" * 200, "a  b"):
        yield f"identity {name[:30]}", _reads("identity", name)
    for group in ("NA", "<b>", "../x", "=1"):
        yield f"group {group}", _reads("group", group)
    yield "group left out", (changed("group", ""), lambda read: bool(read.at["005.png", "group"] == "005.png"))
    box = changed("box", " 1  2 9.5 1e1 ")
    yield "box with spaces", (box, lambda read: list(read.at["005.png", "box"]) == [1, 2, 9.5, 10])
    large = changed("box", "-1000000 -1e6 1000000 1e6")
    yield "box far beyond the picture", (large, lambda read: read.at["005.png", "box"][2] == 1e6)
    turns = np.tile([0, 50, 450, -230, 540.0], IDENTITIES * EACH // 5).astype(str)
    yield (
        "azimuths of several turns",
        (table(azimuth_deg=turns).drop(columns="view").to_csv(index=False).encode(), same),
    )


def write(folder: Path, content: bytes) -> None:
    (folder / FILE).write_bytes(content)


REFUSED: dict[str, Refused] = dict(refused())
LEGAL: dict[str, tuple[bytes, Check]] = dict(legal())
