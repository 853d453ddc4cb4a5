"""The Multi-PIE adapter on empty files with the right names."""

from pathlib import Path

import pytest

from benchmark.config.settings import Data
from benchmark.data import adapters
from benchmark.errors import BenchmarkError

POINTS = "image,left_eye_x,left_eye_y,right_eye_x,right_eye_y,mouth_x,mouth_y\n"


def settings(**changes: object) -> Data:
    return Data.model_validate({"dataset": "multipie", "root": "there", "views": ("-15", "0", "15"), **changes})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in (
        "session01/multiview/001/01/05_1/001_01_01_051_07.png",
        "session01/multiview/001/01/11_0/001_01_01_110_07.png",
        "session01/multiview/001/01/24_0/001_01_01_240_07.png",
        "session01/multiview/001/01/19_1/001_01_01_191_07.png",
        "session01/multiview/001/02/05_1/001_01_02_051_07.png",
        "session04/multiview/001/02/05_1/001_04_02_051_07.png",
        "elsewhere/250_04_03_051_07.png",
        "250_04_01_050_00.JPG",
        "Thumbs.db",
        "notes_01_01_051_07.png",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def test_names_are_read_wherever_they_lie(root: Path) -> None:
    reading = adapters.read(settings(), root)
    found = [tuple(row) for row in reading.manifest[["identity", "view", "group"]].itertuples(index=False)]
    assert found == [
        ("250", "15", "04"),
        ("001", "0", "01"),
        ("001", "-90", "01"),
        ("001", "90", "01"),
        ("001", "0", "04"),
    ]
    assert reading.manifest["image"][0] == "250_04_01_050_00.JPG"
    assert reading.manifest["capture"][0] == "04_01_00"  # session, recording, light: what a pair keeps
    assert reading.manifest["box"].isna().all()
    assert reading.dropped == {"of another camera": 1, "of no neutral recording": 2}


def test_boxes_from_the_cameras(root: Path) -> None:
    reading = adapters.read(settings(camera_boxes={"051": (10, 20, 110, 120)}), root)
    boxes = dict(zip(reading.manifest["image"].str[-10:-4], reading.manifest["box"], strict=True))
    assert boxes["051_07"] == [10, 20, 110, 120]
    assert boxes["110_07"] is None


def test_boxes_from_a_csv_come_first(root: Path) -> None:
    (root / "boxes.csv").write_text("image,x0,y0,x1,y1\nany/001_01_01_051_07.png,1,2,3,4\n")
    manifest = adapters.read(settings(annotations="boxes.csv", camera_boxes={"051": (10, 20, 110, 120)}), root).manifest
    assert list(manifest["box"][[1, 4]]) == [[1, 2, 3, 4], [10, 20, 110, 120]]


def test_boxes_from_points(root: Path) -> None:
    both = "001_01_01_051_07.png,90,100,130,100,110,140\n"
    one = "001_01_01_110_07.png,,,130,100,130,140\n"
    (root / "points.csv").write_text(POINTS + both + one)
    manifest = adapters.read(settings(annotations="points.csv"), root).manifest
    assert list(manifest["box"][[1, 2]]) == [[50, 60, 170, 180], [70, 60, 190, 180]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image,x0,y0,x1,y1\na.png,5,2,3,4\n", r"line 2: x0 y0 x1 y1 '5 2 3 4' is no box"),
        ("image,x0,y0,x1\na.png,5,2,3\n", r"line 1: there is no column y1"),
        ("image\na.png\n", r"line 1: there are neither the columns"),
        ("image,x0,y0,x1,y1\na.png,1,2,3,4\nb/a.png,1,2,3,4\n", r"line 3: image 'b/a.png' stands there twice"),
        (POINTS + "a.png,,,,,1,2\n", r"line 2: left_eye_x '' is no number"),
        (POINTS + "a.png,1,1,1,1,one,2\n", r"line 2: mouth_x 'one' is no number"),
        (POINTS + "a.png,1,1,1,1,1,1\n", r"line 2: mouth_x '1' puts the mouth where the eyes are"),
        ("image,mouth_x,mouth_y\na.png,1,2\n", r"line 1: there is no column left_eye_x"),
    ],
)
def test_malformed_csv(root: Path, text: str, sentence: str) -> None:
    (root / "boxes.csv").write_text(text)
    with pytest.raises(BenchmarkError, match=r"boxes\.csv, " + sentence):
        adapters.read(settings(annotations="boxes.csv"), root)


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ({"052": (0, 0, 1, 1)}, r"camera_boxes\.052: there is no such camera; .* did you mean 05"),
        ({"051": (5, 0, 5, 1)}, r"camera_boxes\.051: expected x0"),
    ],
)
def test_malformed_camera_boxes(root: Path, boxes: dict[str, tuple[int, ...]], sentence: str) -> None:
    with pytest.raises(BenchmarkError, match=sentence):
        adapters.read(settings(camera_boxes=boxes), root)


def test_the_same_picture_twice(root: Path) -> None:
    (root / "001_01_01_051_07.jpg").touch()
    with pytest.raises(BenchmarkError, match=r"001_01_01_051_07\.\w+ and .*001_01_01_051_07\.\w+ are the same picture"):
        adapters.read(settings(), root)


def test_no_images(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"no images found under .*; check data\.root"):
        adapters.read(settings(), tmp_path)
