"""Multi-PIE with odd names, links, and boxes of every kind."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import judge
from tests.hostile.layouts import face, multipie, multipie_profile
from tests.hostile.made_up import made_up
from tests.hostile.places import manifest, write_settings

FACE = face(0)
CORNERS = "image,x0,y0,x1,y1\n"
POINTS = "image,left_eye_x,left_eye_y,right_eye_x,right_eye_y,mouth_x,mouth_y\n"


@pytest.fixture
def faces(place: Path, drawn: Path) -> Path:
    write_settings(place, multipie_profile())
    return multipie(drawn, place / "faces")


WRONG_BOXES = {
    "empty": ("", "no column image"),
    "images alone": (f"image\n{FACE}\n", "neither the columns"),
    "three corners": ("image,x0,y0,x1\na,1,1,2\n", "no column y1"),
    "corners the wrong way": (f"{CORNERS}{FACE},9,9,1,1\n", "is no box"),
    "corners of no size": (f"{CORNERS}{FACE},5,5,5,5\n", "is no box"),
    "corners that are no numbers": (f"{CORNERS}{FACE},nan,1,inf,9\n", "is no box"),
    "huge corners": (f"{CORNERS}{FACE},0,0,1e300,1e300\n", "is no box"),
    "twice": (f"{CORNERS}{FACE},1,1,9,9\nsession/{FACE},1,1,9,9\n", "stands there twice"),
    "points without mouth": (f"image,mouth_x\n{FACE},1\n", "no column left_eye_x"),
    "both eyes out of sight": (f"{POINTS}{FACE},,,,,5,9\n", "is no number"),
    "mouth at the eyes": (f"{POINTS}{FACE},5,5,5,5,5,5\n", "puts the mouth where the eyes are"),
    "mouth at infinity": (f"{POINTS}{FACE},5,5,6,5,inf,9\n", "is no number"),
    "eyes that are no numbers": (f"{POINTS}{FACE},a,5,6,5,5,9\n", "is no number"),
    "utf-16": (f"{CORNERS}{FACE},1,1,9,9\n".encode("utf-16"), "not UTF-8"),
    "NUL": (f"{CORNERS}{FACE}\0,1,1,9,9\n", "NUL"),
    "binary": (bytes(range(256)), "not UTF-8"),
    "header alone": (CORNERS, "a box for none of the images"),
    "faces of others": (f"{CORNERS}999_01_01_051_00.png,1,2,9,10\n", "a box for none of the images"),
}


def given_boxes(place: Path, faces: Path, content: str | bytes) -> None:
    (faces / "boxes.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    write_settings(place, multipie_profile(annotations="boxes.csv"))


@pytest.mark.parametrize("case", WRONG_BOXES)
def test_wrong_boxes_are_refused(place: Path, faces: Path, case: str) -> None:
    content, words = WRONG_BOXES[case]
    given_boxes(place, faces, content)
    judge.refused(judge.stages(place), "boxes.csv", words)


ODD_BOXES = {
    "byte order mark and CRLF": (f"\ufeff{CORNERS}{FACE},1,2,9,10\n".replace("\n", "\r\n"), [1, 2, 9, 10]),
    "path and spaces": (f"{CORNERS} session/{FACE} , 1 ,2, 9,10\n", [1, 2, 9, 10]),
    "another ending": (f"{CORNERS}{FACE[:-4]}.jpg,1,2,9,10\n", [1, 2, 9, 10]),
    "one eye": (f"{POINTS}{FACE},,,8,4,8,12\n", [-4, -4, 20, 20]),
    "some of others": (f"{CORNERS}999_01_01_051_00.png,1,2,9,10\n{face(1)},1,1,5,5\n", None),
}


@pytest.mark.parametrize("case", ODD_BOXES)
def test_odd_boxes_are_read(place: Path, faces: Path, case: str) -> None:
    content, box = ODD_BOXES[case]
    given_boxes(place, faces, content)
    judge.accepted(judge.stages(place))
    read = manifest(place).at[f"session/{FACE}", "box"]
    assert read is None if box is None else list(read) == box


def test_a_box_outside_its_picture_is_listed(place: Path, faces: Path) -> None:
    given_boxes(place, faces, f"{CORNERS}{FACE},100,100,200,200\n")
    judge.rejected(judge.stages(place), f"session/{FACE}")


NO_FACES = ("001_01_01_999_00.png", "001_01_02_051_00.png")  # another camera, a smile
IGNORED = (
    *("\uff1100_01_01_051_00.png", "\u0660\u0660\u0661_01_01_051_00.png", "001_01_01_051_00.png.txt", "1_1_1_51_0.png"),
    *("001_01_01_051_00\n.png", ".001_01_01_051_00.png", "<script>.png"),
)


@pytest.mark.parametrize("name", [*NO_FACES, *IGNORED])
def test_files_of_other_names_are_left_out(place: Path, faces: Path, name: str) -> None:
    (faces / name).write_bytes(b"no picture")
    judge.accepted(judge.stages(place))
    assert name not in manifest(place).index


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "twice": (lambda faces: os.link(faces / "session" / FACE, faces / FACE), "are the same picture"),
    "twice by its ending": (lambda faces: (faces / FACE.replace("png", "JPG")).touch(), "are the same picture"),
    "link to a folder": (lambda faces: (faces / "more").symlink_to("session"), "is a link to a folder"),
    "link to a folder outside": (lambda faces: (faces / "more").symlink_to("/etc"), "is a link to a folder"),
    "link in circles": (lambda faces: (faces / "more").symlink_to("."), "is a link to a folder"),
    "link out of the root": (lambda faces: (faces / face(999)).symlink_to("/etc/hostname"), "leads out of faces"),
    "link to a device": (lambda faces: (faces / face(999)).symlink_to("/dev/zero"), "leads out of faces"),
    "folder that is not UTF-8": (
        lambda faces: (faces / "session").rename(os.fsdecode(os.fsencode(faces) + b"/\xff")),
        "rename it",
    ),
    "folder with a line break": (lambda faces: (faces / "session").rename(faces / "a\nb"), "rename it"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_folders_are_refused(place: Path, faces: Path, case: str) -> None:
    spoil, words = SPOILT[case]
    spoil(faces)
    judge.refused(judge.stages(place), "faces", words)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "empty": Path.touch,
    "link to nothing": lambda path: path.symlink_to("gone"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_picture_is_listed(place: Path, faces: Path, case: str) -> None:
    (faces / "session" / FACE).unlink()
    UNREADABLE[case](faces / "session" / FACE)
    judge.rejected(judge.stages(place), f"session/{FACE}")


WRONG_CAMERAS: dict[str, Any] = {
    "unknown": {"999": [0, 0, 9, 9]},
    "three edges": {"051": [0, 0, 9]},
    "broken edges": {"051": [0.5, 0, 9, 9]},
    "the wrong way": {"051": [9, 9, 0, 0]},
    "huge": {"051": [0, 0, 10**400, 9]},
    "texts": {"051": ["0", "0", "9", "9"]},
    "no mapping": [1, 2],
}


@pytest.mark.parametrize("case", WRONG_CAMERAS)
def test_wrong_boxes_of_cameras_are_refused(place: Path, faces: Path, case: str) -> None:
    write_settings(place, multipie_profile(camera_boxes=WRONG_CAMERAS[case]))
    judge.refused(judge.stages(place), "params.yaml" if case == "huge" else "camera_boxes")


@made_up
@given(points=st.lists(st.floats() | st.integers() | st.text(max_size=3), min_size=6, max_size=6))
def test_any_points_are_a_box_or_refused(place: Path, faces: Path, points: list[object]) -> None:
    row = ",".join(str(point).replace('"', "") for point in points)
    given_boxes(place, faces, f"{POINTS}{FACE},{row}\n".encode(errors="replace"))
    ended = judge.stages(place, judge.DATA[:1])
    if ended.code:
        judge.refused(ended, "boxes.csv")
    else:
        x0, y0, x1, y1, *_ = manifest(place).at[f"session/{FACE}", "box"]
        assert x0 < x1
        assert x1 - x0 == pytest.approx(y1 - y0)
