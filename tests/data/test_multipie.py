"""The Multi-PIE adapter on empty files with the right names."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.config.settings import Data
from benchmark.data import adapters, pictures
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
    assert reading.dropped == {"of another camera": 1, "of no neutral recording": 2, "of no name of Multi-PIE": 1}


@pytest.mark.parametrize(
    "name",
    [
        "001_01_01_140_07_crop_128.png",
        "001_01_01_140_07_cropped.png",
        "001_01_01_140_07.bmp",
        "001_01_01_140_07.ppm",
        "001_01_01_140_07.jpeg",
        "001_01_01_140_07-96x96.JPG",
    ],
)
def test_names_that_people_have(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert adapters.read(settings(), tmp_path).manifest[["image", "identity", "view"]].to_numpy().tolist() == [
        [name, "001", "-15"]
    ]


def test_numbers_of_subjects_may_have_holes(tmp_path: Path) -> None:
    for subject in (2, 250, 346):
        (tmp_path / f"{subject:03}_01_01_051_07_crop_128.png").touch()
    assert list(adapters.read(settings(), tmp_path).manifest["identity"]) == ["002", "250", "346"]


def test_photographs_without_boxes_are_not_taken_for_crops(tmp_path: Path) -> None:
    cameras = {"140": (64, 48), "051": (64, 48), "050": (40, 48)}  # the last one a crop
    for camera, size in cameras.items():
        Image.new("RGB", size).save(tmp_path / f"001_01_01_{camera}_07.png")
    assert adapters.read(settings(), tmp_path).dropped["without box or points (whole photographs)"] == 2
    fixed = settings(camera_boxes={"140": (8, 0, 56, 48)})
    assert list(adapters.read(fixed, tmp_path).manifest["image"].str[10:13]) == ["050", "140"]
    (tmp_path / "001_01_01_050_07.png").unlink()
    with pytest.raises(BenchmarkError, match=r"_07\.png of 64 x 48 pixels, .*data\.annotations.*camera_boxes"):
        adapters.read(settings(), tmp_path)


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


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_roll_of_the_head_is_corrected(tmp_path: Path, order: tuple[int, int]) -> None:
    """Eyes and mouth are dots on a head that leans by 20 degrees: in the crop the eyes are level, above the mouth."""
    turn = np.radians(20)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = np.array([[-20, -20], [20, -20], [0, 20]]) @ rotation.T + (110, 90)
    picture = np.zeros((180, 220, 3), np.uint8)
    for channel, (x, y) in enumerate(points):
        down, across = np.mgrid[:180, :220] + 0.5
        picture[..., channel] = 255 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 18)
    name = "001_01_01_051_07.png"
    Image.fromarray(picture).save(tmp_path / name)
    eyes = ",".join(f"{x},{y}" for x, y in points[list(order)])
    (tmp_path / "points.csv").write_text(f"{POINTS}{name},{eyes},{points[2, 0]},{points[2, 1]}\n")
    box = adapters.read(settings(annotations="points.csv"), tmp_path).manifest["box"][0]
    assert box == pytest.approx([50, 30, 170, 150, 20])
    crop = pictures.crop(pictures.decode(tmp_path / name), box, 120, 0.0).astype(float)
    found = [
        [(crop[..., c].sum(axis) @ (np.arange(120) + 0.5)) / crop[..., c].sum() for axis in (0, 1)] for c in range(3)
    ]
    assert found == pytest.approx(np.array([[40, 40], [80, 40], [60, 80]]), abs=0.3)


@pytest.mark.parametrize(
    "eyes",
    ["100,95,100,105", "90,60,130,140", ",,130,100"],
    ids=["too close", "too steep", "one out of sight"],
)
def test_a_roll_that_cannot_be_told_is_left(root: Path, eyes: str) -> None:
    (root / "points.csv").write_text(f"{POINTS}001_01_01_051_07.png,{eyes},110,160\n")
    manifest = adapters.read(settings(annotations="points.csv"), root).manifest.set_index("image")
    assert len(manifest.at["session01/multiview/001/01/05_1/001_01_01_051_07.png", "box"]) == 4


def test_entries_of_no_image_are_counted(root: Path) -> None:
    rows = "C:\\PIE\\001_01_01_051_07_crop_128.jpg,1,2,3,4\n999_01_01_051_07.png,1,2,3,4\n"
    (root / "boxes.csv").write_text("image,x0,y0,x1,y1\n" + rows)
    reading = adapters.read(settings(annotations="boxes.csv"), root)
    assert list(reading.manifest["box"].dropna()) == [[1, 2, 3, 4]]
    assert "1 of its 2 entries match no image, such as '999_01_01_051_07'" in reading.notes[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image,x0,y0,x1,y1\na.png,5,2,3,4\n", r"line 2: x0 y0 x1 y1 '5 2 3 4'"),
        ("image,x0,y0,x1\na.png,5,2,3\n", r"line 1: .* y1"),
        ("image\na.png\n", r"line 1: there are neither the columns"),
        ("image,x0,y0,x1,y1\na.png,1,2,3,4\nb/a.png,1,2,3,4\n", r"line 3: image 'b/a.png'"),
        (POINTS + "a.png,,,,,1,2\n", r"line 2: left_eye_x ''"),
        (POINTS + "a.png,1,1,1,1,one,2\n", r"line 2: mouth_x 'one'"),
        (POINTS + "a.png,1,1,1,1,1,1\n", r"line 2: mouth_x '1'"),
        ("image,mouth_x,mouth_y\na.png,1,2\n", r"line 1: .* left_eye_x"),
    ],
)
def test_malformed_csv(root: Path, text: str, sentence: str) -> None:
    (root / "boxes.csv").write_text(text)
    with pytest.raises(BenchmarkError, match=r"boxes\.csv, " + sentence):
        adapters.read(settings(annotations="boxes.csv"), root)


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ({"052": (0, 0, 1, 1)}, r"camera_boxes\.052: .* did you mean 05"),
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
    with pytest.raises(BenchmarkError, match=r"data\.root"):
        adapters.read(settings(), tmp_path)
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces/smith_01.png").touch()
    with pytest.raises(BenchmarkError, match=r"001_01_01_051_07\.png .*'faces/smith_01\.png'"):
        adapters.read(settings(), tmp_path)
