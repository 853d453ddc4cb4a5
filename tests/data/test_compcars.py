"""The CompCars adapter on tiny trees in CompCars' layout."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from benchmark.config.datasets import READERS
from benchmark.config.settings import Data
from benchmark.data import adapters, annotations, filtering
from benchmark.errors import BenchmarkError

LABELS = {
    "1/1/2010/side.jpg": "3\n1\n11 21 110 90\n",
    "1/1/2010/front.jpg": "1\n1\n1 1 2 2",
    "1/1/unknown/front_side.jpg": "4\r\n1\r\n1 1 20 30\r\n",
    "1/2/2011/rear_side.jpg": "5\n1\n1 1 20 30\n",
    "1/2/2011/rear.jpg": "2\n1\n1 1 20 30\n",
    "2/3/2012/uncertain.jpg": "-1\n1\n1 1 20 30\n",
    "2/3/2012/no_side.jpg": "3\n1\n1 1 20 30\n",
    "2/3/2012/also.jpg": "1\n1\n-5 1 20 30\n",
    "2/3/2012/no_side_either.jpg": "5\n1\n1 1 20 30\n",
}
SIDES = "image,side\n1/1/2010/side.jpg,left\n1/1/unknown/front_side.jpg,right\n1/2/2011/rear_side.jpg,left\n"


def cells(*names: str) -> np.ndarray:
    array = np.empty((len(names), 1), dtype=object)
    array[:, 0] = [name or np.array([]) for name in names]
    return array


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for image, label in LABELS.items():
        for folder, name, content in (("image", image, ""), ("label", image[:-4] + ".txt", label)):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
    (tmp_path / "sides.csv").write_text(SIDES)
    (tmp_path / "misc").mkdir()
    names = {"make_names": cells("Audi", ""), "model_names": cells("A4", "A4", "")}
    savemat(tmp_path / "misc/make_model_name.mat", names)
    return tmp_path


def settings(**changes: object) -> Data:
    return Data.model_validate({"dataset": "compcars", "root": "there", **changes})


def test_every_column(base: Path) -> None:
    reading = adapters.read(settings(), base)
    rows = reading.manifest.set_index("image")
    assert {image.removeprefix("image/"): view for image, view in rows["view"].items()} == {
        "1/1/2010/side.jpg": "left",
        "1/1/2010/front.jpg": "front",
        "1/1/unknown/front_side.jpg": "front_right",
        "1/2/2011/rear_side.jpg": "rear_left",
        "1/2/2011/rear.jpg": "rear",
        "2/3/2012/also.jpg": "front",
        "2/3/2012/no_side_either.jpg": "rear_side",
    }
    assert rows.at["image/1/1/2010/side.jpg", "box"] == [10, 20, 110, 90]
    assert rows.at["image/1/1/unknown/front_side.jpg", "group"] == "1/1/unknown"
    assert reading.dropped == {"of uncertain view": 1, "without an entry in sides.csv": 1}
    assert "9 images" in str(reading.account)
    assert "dropped 1 without an entry in sides.csv, 1 of uncertain view; 7 images" in str(reading.account)
    assert filtering.keep(reading.manifest, settings(minimum_images=2, views=["front", "left"]))[1].dropped == {
        "of view front_right": 1,
        "rear views": 3,
        "in identities with fewer than 2 images": 1,
    }


def test_rear_sides_need_a_side_where_they_are_wanted(base: Path) -> None:
    wanted = settings(views=("front", "rear_left", "rear_right"))
    assert adapters.read(wanted, base).dropped["without an entry in sides.csv"] == 2


def test_identities_with_equal_or_empty_names_stay_apart(base: Path) -> None:
    identities = set(adapters.read(settings(), base).manifest["identity"])
    assert identities == {"Audi A4 (1/1)", "Audi A4 (1/2)", "2 3 (2/3)"}


def test_folder_data_and_the_name_rendered_make_no_difference(
    base: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(base, root / "data")
    inside = adapters.read(settings(), root).manifest
    outside = adapters.read(Data(), base).manifest
    assert list(inside["image"]) == [f"data/{image}" for image in outside["image"]]
    assert list(inside["view"]) == list(outside["view"])


def test_sides_may_lie_elsewhere(base: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mine.csv"
    elsewhere.write_text("image,side\n1/1/2010/side.jpg,right\n")
    manifest = adapters.read(settings(annotations=str(elsewhere)), base).manifest.set_index("image")
    assert manifest.at["image/1/1/2010/side.jpg", "view"] == "right"


def test_image_without_label_is_counted(base: Path) -> None:
    (base / "label/1/1/2010/front.txt").unlink()
    assert adapters.read(settings(), base).dropped["without a label file"] == 1


@pytest.mark.parametrize(
    "label",
    [
        b"",
        b"3\n1\n",
        b"3\n1\n1 1 5 5\n6 6 9 9\n",
        b"3\n1\n1 1 5\n",
        b"6\n1\n1 1 5 5\n",
        b"0\n1\n1 1 5 5\n",
        b"side\n1\n1 1 5 5\n",
        b"3\n1\n1 1 5.5 5\n",
        b"3\n1\n5 1 5 5\n",
        b"3\n1\n1 9 5 5\n",
        b"3\n1\n1 1 5 99999999999999999999\n",
        b"3\n1\n1 1 5 5\0",
        b"\0" * 20,
        "\N{BYTE ORDER MARK}3\n1\n1 1 5 5\n".encode("utf-16"),
    ],
)
def test_malformed_label_is_named(base: Path, label: bytes) -> None:
    path = base / "label/1/1/2010/side.txt"
    path.write_bytes(label)
    with pytest.raises(BenchmarkError, match=r"1 of 9 images .*three lines") as error:
        adapters.read(settings(), base)
    assert str(path) in str(error.value)


def test_without_sides_it_says_what_is_missing_and_what_to_do(base: Path) -> None:
    (base / "sides.csv").unlink()
    with pytest.raises(BenchmarkError, match=r"sides\.csv is missing.*columns image .* and side"):
        adapters.read(settings(), base)


def test_entries_of_no_image_are_counted(base: Path) -> None:
    (base / "sides.csv").write_text(SIDES + "1/1/2010/gone.jpg,left\nother.jpg,right\n")
    assert adapters.read(settings(), base).notes == (
        f"{base / 'sides.csv'}: 2 of its 5 entries match no image, such as '1/1/2010/gone'; an image is named by "
        "make/model/year/name, as in the folder image",
    )


@pytest.mark.parametrize(
    ("sides", "sentence"),
    [
        ("image,side\na.jpg,left\nb.jpg,top\n", r"sides\.csv, line 3: side 'top'"),
        ("image,side\na.jpg,left\na.jpg,left\n", r"sides\.csv, line 3: image 'a.jpg'"),
        ("image,sid\na.jpg,left\n", r"sides\.csv, line 1: .* side; did you mean sid\?"),
    ],
)
def test_malformed_sides(base: Path, sides: str, sentence: str) -> None:
    (base / "sides.csv").write_text(sides)
    with pytest.raises(BenchmarkError, match=sentence):
        adapters.read(settings(), base)


@pytest.mark.parametrize("content", [None, b"", b"MATLAB 5.0 MAT-file" + b"\0" * 200])
def test_missing_or_damaged_names(base: Path, content: bytes | None) -> None:
    path = base / "misc/make_model_name.mat"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"make_model_name\.mat"):
        adapters.read(settings(), base)


def test_missing_folders(base: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(BenchmarkError, match=r"data/image"):
        adapters.read(settings(), empty)
    with pytest.raises(BenchmarkError, match=r"nowhere .*data\.root"):
        adapters.read(settings(), empty / "nowhere")
    (empty / "image").mkdir()
    with pytest.raises(BenchmarkError, match=r"label is missing"):
        adapters.read(settings(), empty)
    with pytest.raises(BenchmarkError, match=r"lost\.csv"):
        annotations.locate(settings(annotations="lost.csv"), empty, "sides.csv")


def test_nothing_left(base: Path) -> None:
    for label in base.glob("label/*/*/*/*.txt"):
        label.write_text("-1\n1\n1 1 2 2\n")
    with pytest.raises(BenchmarkError, match=r"dropped 9 of uncertain view"):
        adapters.read(settings(), base)


def test_every_data_set_has_a_reader() -> None:
    lines = adapters.describe()
    assert set(lines) == set(READERS)
    assert lines["compcars"].startswith("CompCars: ")
    assert all(line for name, line in lines.items() if name != "rendered")
