"""CompCars with one spoilt file: a label, sides.csv, the MAT file, or a folder."""

import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from tests.hostile import judge
from tests.hostile.layouts import IMAGE, LABEL, MAT, cells, compcars, compcars_profile, names
from tests.hostile.made_up import made_up
from tests.hostile.places import EACH, IDENTITIES, manifest, write_settings


@pytest.fixture
def cars(place: Path, drawn: Path) -> Path:
    write_settings(place, compcars_profile())
    return compcars(drawn, place / "compcars")


WRONG_LABELS = {
    "empty": b"",
    "blank": b"\n\n\n",
    "one line": b"1\n",
    "viewpoint 0": b"0\n1\n1 1 9 9\n",
    "viewpoint 6": b"6\n1\n1 1 9 9\n",
    "viewpoint -2": b"-2\n1\n1 1 9 9\n",
    "viewpoint of 5000 digits": b"1" * 5000 + b"\n1\n1 1 9 9\n",
    "viewpoint in words": b"front\n1\n1 1 9 9\n",
    "three edges": b"1\n1\n1 1 9\n",
    "five edges": b"1\n1\n1 1 9 9 9\n",
    "two boxes": b"1\n2\n1 1 9 9\n2 2 8 8\n",
    "count of a thousand": b"1\n1000\n1 1 9 9\n",
    "negative count": b"1\n-1\n1 1 9 9\n",
    "edges the wrong way": b"1\n1\n9 9 1 1\n",
    "edges in a row": b"1\n1\n5 5 5 5\n",
    "broken edges": b"1\n1\n1.5 1 9 9\n",
    "edges that are no numbers": b"1\n1\nnan nan inf inf\n",
    "huge edges": b"1\n1\n1 1 99999999999999999999 9\n",
    "exponents": b"1\n1\n1 1 1e3 1e3\n",
    "NUL": b"1\n1\n1 1 9 9\0\n",
    "NULs": bytes(60),
    "byte order mark": b"\xef\xbb\xbf1\n1\n1 1 9 9\n",
    "utf-16": "1\n1\n1 1 9 9\n".encode("utf-16"),
    "digits of another script": "\u0661\n\u0661\n\u0661 \u0661 \u0669 \u0669\n".encode(),
    "bare CR": b"1\r1\r1 1 9 9\r",
    "binary": bytes(range(256)),
    "ten megabytes": b"1\n1\n1 1 9 9\n" + b" " * 10**7,
    "garbage behind many blanks": b"1\n1\n1 1 9 9\n" + b" " * 300 + b"x",
}


@pytest.mark.parametrize("case", WRONG_LABELS)
def test_a_wrong_label_is_left_out(place: Path, cars: Path, case: str) -> None:
    (cars / LABEL).write_bytes(WRONG_LABELS[case])
    judge.accepted(judge.stages(place))
    assert IMAGE not in manifest(place).index
    assert len(manifest(place)) == IDENTITIES * EACH - 1


def test_wrong_labels_of_more_than_one_in_a_hundred_images_are_refused(place: Path, cars: Path) -> None:
    for label in (LABEL, LABEL.replace("000", "001")):
        (cars / label).write_bytes(b"")
    judge.refused(judge.stages(place), "2 of 110 images", f"compcars/{LABEL} is no label")


ODD_LABELS = {
    "CRLF": (b"1\r\n1\r\n2 3 9 10\r\n", [1, 2, 9, 10]),
    "blanks": (b"1 \t\n1 \n2 \t3 9  10  \n\n", [1, 2, 9, 10]),
    "no line break at the end": (b"1\n1\n2 3 9 10", [1, 2, 9, 10]),
    "box that leaves the picture": (b"1\n1\n-5 -5 900000 900000\n", [-6, -6, 900000, 900000]),
}


@pytest.mark.parametrize("case", ODD_LABELS)
def test_odd_labels_are_read(place: Path, cars: Path, case: str) -> None:
    content, box = ODD_LABELS[case]
    (cars / LABEL).write_bytes(content)
    judge.accepted(judge.stages(place))
    assert list(manifest(place).at[IMAGE, "box"]) == box


@pytest.mark.parametrize("box", ["17 1 20 9", "1 17 9 20", "-9 -9 0 0", "900 900 999 999"])
def test_a_box_outside_its_picture_is_listed(place: Path, cars: Path, box: str) -> None:
    (cars / LABEL).write_text(f"1\n1\n{box}\n", encoding="utf-8")
    judge.rejected(judge.stages(place), IMAGE)


@made_up
@given(content=st.binary(max_size=40))
def test_any_bytes_are_a_label_or_left_out(place: Path, cars: Path, content: bytes) -> None:
    (cars / LABEL).write_bytes(content)
    judge.accepted(judge.stages(place, judge.DATA[:1]))
    assert IMAGE not in manifest(place).index


@made_up
@given(numbers=st.tuples(*[st.integers(-(10**7), 10**7) | st.integers(-2, 6)] * 6))
def test_any_numbers_are_a_label_or_left_out(place: Path, cars: Path, numbers: tuple[int, ...]) -> None:
    view, count, *edges = numbers
    (cars / LABEL).write_text(f"{view}\n{count}\n{' '.join(map(str, edges))}\n", encoding="utf-8")
    judge.accepted(judge.stages(place, judge.DATA[:1]))
    if IMAGE in manifest(place).index:
        x0, y0, x1, y1 = edges
        assert list(manifest(place).at[IMAGE, "box"]) == [x0 - 1, y0 - 1, x1, y1]
    else:
        orderly = edges[0] < edges[2] and edges[1] < edges[3] and max(map(abs, edges)) < 10**6
        assert not (view in range(1, 6) and 0 <= count < 1000 and orderly)


OTHER_FILES: dict[str, Callable[[Path], object]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link out of the root": lambda path: path.symlink_to("/etc/hostname"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("case", ["folder", "pipe"])
def test_what_is_no_label_file_is_left_out(place: Path, cars: Path, case: str) -> None:
    (cars / LABEL).unlink()
    OTHER_FILES[case](cars / LABEL)
    judge.accepted(judge.stages(place))
    assert IMAGE not in manifest(place).index


@pytest.mark.parametrize(
    ("case", "file"),
    [*product(OTHER_FILES, (MAT, "sides.csv")), ("link out of the root", LABEL), ("link to a device", LABEL)],
)
def test_what_is_no_file_is_refused(place: Path, cars: Path, case: str, file: str) -> None:
    (cars / file).unlink()
    OTHER_FILES[case](cars / file)
    judge.refused(judge.stages(place), file)


SIDES = {
    "empty": (b"", "no column image"),
    "header alone": (b"image,side\n", "no image"),
    "neither side": (b"image,side\n1/1/2010/000.jpg,front\n", "neither left nor right"),
    "upper case": (b"image,side\n1/1/2010/000.jpg,Left\n", "neither left nor right"),
    "twice": (b"image,side\na.jpg,left\na.jpg,right\n", "stands there twice"),
    "without side": (b"image,sid\na.jpg,left\n", "no column side"),
    "utf-16": ("image,side\na.jpg,left\n".encode("utf-16"), "not UTF-8"),
    "NUL": (b"image,side\na\0.jpg,left\n", "NUL"),
    "binary": (bytes(range(256)), "not UTF-8"),
    "quotes": (b'image,side\n"a.jpg,left\n', "quotes"),
    "megabyte": (b"image,side\n" + b"a" * 10**6, "field larger"),
}


@pytest.mark.parametrize("case", SIDES)
def test_wrong_sides_are_refused(place: Path, cars: Path, case: str) -> None:
    content, words = SIDES[case]
    (cars / "sides.csv").write_bytes(content)
    judge.refused(judge.stages(place), words, "" if case == "header alone" else "compcars/sides.csv")


SPELLED = {
    "point in front": "./1/1/2010/001.jpg",
    "folder of the images": "image/1/1/2010/001.jpg",
    "slash in front": "/1/1/2010/001.jpg",
    "backslashes": "image\\1\\1\\2010\\001.jpg",
    "another system": "C:\\CompCars\\data\\image\\1\\1\\2010\\001.JPG",
    "absolute": "/data/CompCars/image/1/1/2010/001.jpg",
    "ending in upper case": "1/1/2010/001.JPG",
    "no ending": "1/1/2010/001",
}


@pytest.mark.parametrize("case", SPELLED)
def test_sides_name_images_in_many_ways(place: Path, cars: Path, case: str) -> None:
    text = (cars / "sides.csv").read_text(encoding="utf-8")
    assert text.count("1/1/2010/001.jpg,left") == 1
    (cars / "sides.csv").write_text(text.replace("1/1/2010/001.jpg", SPELLED[case]), encoding="utf-8")
    judge.accepted(judge.stages(place, judge.DATA[:1]))
    assert manifest(place).at["image/1/1/2010/001.jpg", "view"] == "front_left"


def test_sides_of_no_image_are_refused(place: Path, cars: Path) -> None:
    (cars / "sides.csv").write_text("image,side\n001.jpg,left\n", encoding="utf-8")
    judge.refused(judge.stages(place), "compcars/sides.csv", "'001'", "make/model/year/name", "'1/1/2010/000'")


def test_an_ending_may_be_in_upper_case(place: Path, cars: Path) -> None:
    (cars / IMAGE).rename(cars / "image/1/1/2010/000.JPG")
    judge.accepted(judge.stages(place))
    assert manifest(place).at["image/1/1/2010/000.JPG", "view"] == "left"


def test_two_images_of_one_label_are_refused(place: Path, cars: Path) -> None:
    os.link(cars / IMAGE, cars / "image/1/1/2010/000.png")
    judge.refused(judge.stages(place), "1/1/2010/000.png", "1/1/2010/000.jpg", "remove one of them")


def test_sides_may_have_a_byte_order_mark_and_crlf(place: Path, cars: Path) -> None:
    text = (cars / "sides.csv").read_text(encoding="utf-8")
    (cars / "sides.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    judge.accepted(judge.stages(place))
    assert manifest(place).at["image/1/1/2010/001.jpg", "view"] == "front_left"


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


WRONG_NAMES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("make_names: [Make]"),
    "noise": lambda path: path.write_bytes(np.random.default_rng(0).bytes(4000)),
    "pickle": lambda path: path.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR."),
    "hdf5": lambda path: path.write_bytes(
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + b"\x89HDF\r\n\x1a\n" + bytes(99)
    ),
    "a tenth": lambda path: _cut(path, 0.1),
    "half": lambda path: _cut(path, 0.5),
    "without makes": lambda path: names(path, make_names=None),
    "without models": lambda path: names(path, model_names=None),
    "other keys": lambda path: savemat(path, {"names": 1}),
    "numbers": lambda path: names(path, make_names=np.eye(3)),
    "one number": lambda path: names(path, model_names=3),
    "text instead of cells": lambda path: names(path, make_names="Make"),
    "cells of cells": lambda path: names(path, make_names=cells(cells("Make"))),
    "structures": lambda path: names(path, make_names={"a": "Make"}),
}


@pytest.mark.parametrize("case", WRONG_NAMES)
def test_wrong_names_are_refused(place: Path, cars: Path, case: str) -> None:
    WRONG_NAMES[case](cars / MAT)
    judge.refused(judge.stages(place), f"compcars/{MAT}")


ODD_NAMES: dict[str, tuple[Any, str]] = {
    "not Latin": (cells("Škoda 斯柯达"), "Škoda 斯柯达"),
    "markup": (cells("<script>alert(1)</script>"), "<script>alert(1)</script>"),
    "path": (cells("../../etc"), "../../etc"),
    "blank cell": (cells(np.zeros((0, 0))), "1"),
    "blanks": (cells("  Make "), "Make"),
    "number": (cells(300.0), "300"),
    "no number": (cells(np.nan), "1"),
    "line break": (cells("a\nb"), "a b"),
    "too few": (np.empty((0, 0), dtype=object), "1"),
}


@pytest.mark.parametrize("case", ODD_NAMES)
def test_odd_names_are_read(place: Path, cars: Path, case: str) -> None:
    value, make = ODD_NAMES[case]
    names(cars / MAT, make_names=value)
    judge.accepted(judge.stages(place))
    assert manifest(place).at[IMAGE, "identity"] == f"{make} model 1 (1/1)"


LEAVING: dict[str, Callable[[Path], object]] = {
    "image": lambda cars: _replaced(cars / IMAGE, Path("/etc/hostname")),
    "folder of a year": lambda cars: _replaced((cars / IMAGE).parent, cars.parent.parent),
    "all images": lambda cars: _replaced(cars / "image", cars.parent.parent / "elsewhere"),
    "all labels": lambda cars: _replaced(cars / "label", cars.parent.parent / "elsewhere"),
    "image in circles": lambda cars: _replaced(cars / IMAGE, Path("000.jpg")),
    "folder of a make": lambda cars: (cars / "image/a").symlink_to("/etc"),
}


def _replaced(path: Path, by: Path) -> None:
    path.rename(Path.cwd().parent / "elsewhere")
    path.symlink_to(by)


@pytest.mark.parametrize("case", LEAVING)
def test_links_out_of_the_root_are_refused(place: Path, cars: Path, case: str) -> None:
    LEAVING[case](cars)
    judge.refused(judge.stages(place), "compcars", "link")


@pytest.mark.parametrize("name", [b"a\xff.jpg", b"a\n.jpg", b"a\x1b[2J.jpg"])
def test_names_that_cannot_be_written_down_are_refused(place: Path, cars: Path, name: bytes) -> None:
    (cars / IMAGE).rename(os.fsdecode(os.fsencode((cars / IMAGE).parent) + b"/" + name))
    judge.refused(judge.stages(place), "compcars", "rename it")


def test_a_folder_called_like_an_image_is_counted(place: Path, cars: Path) -> None:
    (cars / IMAGE).unlink()
    (cars / IMAGE).mkdir()
    judge.rejected(judge.stages(place), IMAGE)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"auxiliary": 12}, "only 11 are left after filtering; ask for fewer, or for shares"),
        ({"auxiliary": 10}, "1 for evaluation"),
        ({"auxiliary": 8, "minimum_images": 2}, "N_c = 4 is more than the 3 identities"),
    ],
)
def test_sizes_are_checked_before_an_image_is_decoded(
    place: Path, cars: Path, data: dict[str, Any], words: str
) -> None:
    write_settings(place, {**compcars_profile(**data), "evaluation": {"nc": [4]}})
    judge.refused(judge.stages(place), words)
    assert not (place / "runs/hostile/data/store").exists()


def test_prepare_makes_the_data_alone(place: Path, cars: Path) -> None:
    judge.accepted(judge.command(place, "prepare", "--dry", "--no-estimate", "--nc", "2"))
    assert not (place / "runs").exists()
    judge.accepted(judge.command(place, "prepare", "--no-estimate"))
    assert (place / "runs/hostile/data/split.parquet").exists()
    assert not (place / "runs/hostile/models").exists()
    (cars / LABEL).unlink()
    judge.refused(judge.command(place, "prepare", "--no-estimate", "--nc", "20"), "N_c = 20 is more than the")
