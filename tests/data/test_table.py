"""The table adapter: a CSV of labels, well written and badly."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from benchmark.config.settings import Data
from benchmark.data import adapters
from benchmark.data.manifest import read as read_manifest
from benchmark.data.manifest import write as write_manifest
from benchmark.data.table import binned
from benchmark.errors import BenchmarkError


def settings(**changes: object) -> Data:
    return Data.model_validate({"dataset": "table", "root": "there", **changes})


def read(root: Path, text: str | bytes, **changes: object) -> pd.DataFrame:
    (root / "annotations.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return adapters.read(settings(**changes), root).manifest


def test_every_column(tmp_path: Path) -> None:
    first, second = "./b.jpg,two,front,day 1,flash,1 2 30.5 40,standard\n", "a.jpg, one ,rear,,,,auxiliary\n"
    manifest = read(tmp_path, "image,identity,view,group,capture,box,split\n" + first + second)
    assert manifest.to_dict("records") == [
        {
            "image": "a.jpg",
            "identity": "one",
            "view": "rear",
            "box": None,
            "group": "a.jpg",
            "capture": "",
            "split": "auxiliary",
        },
        {
            "image": "b.jpg",
            "identity": "two",
            "view": "front",
            "box": [1, 2, 30.5, 40],
            "group": "day 1",
            "capture": "flash",
            "split": "standard",
        },
    ]


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    manifest = read(tmp_path, "image,identity,view\na.jpg,nan,left\n")
    assert manifest.at[0, "identity"] == "nan"
    assert manifest[["box", "split"]].isna().all(axis=None)


def test_it_survives_the_disk(tmp_path: Path) -> None:
    manifest = read(tmp_path, "image,identity,view,box\na.jpg,1,left,\nb.jpg,2,left,1 2 3 4\n")
    write_manifest(manifest, tmp_path / "m.parquet")
    again = read_manifest(tmp_path / "m.parquet")
    assert again.at[0, "box"] is None
    assert list(again.at[1, "box"]) == [1, 2, 3, 4]
    assert again["split"].isna().all()
    assert list(again["identity"]) == ["1", "2"]


def test_mark_of_byte_order_line_ends_quotes_and_umlauts(tmp_path: Path) -> None:
    manifest = read(tmp_path, 'image,identity,view\r\n"ä,b.jpg","Škoda ""R""",left\r\n\r\n'.encode("utf-8-sig"))
    assert manifest.loc[0, ["image", "identity"]].tolist() == ["ä,b.jpg", 'Škoda "R"']


TABLE = [["image", "identity", "view", "box"], ["a.jpg", "1", "left", "1 2 3 4"], ["b.jpg", "x,y;z", "front", ""]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("habit", ["plain", "sep", "spaces", "empty columns", "empty lines"])
def test_a_table_as_spreadsheets_write_it(
    separator: str, quoting: int, end: str, encoding: str, habit: str, tmp_path: Path
) -> None:
    rows = [[f" {name} " for name in TABLE[0]], *TABLE[1:]] if habit == "spaces" else TABLE
    rows = [[*row, "", ""] for row in TABLE] if habit == "empty columns" else rows
    rows = [*TABLE, [""] * len(TABLE[0]), [""] * len(TABLE[0])] if habit == "empty lines" else rows
    file = io.StringIO(f"sep={separator}{end}" if habit == "sep" else "", newline="")
    file.seek(0, io.SEEK_END)
    csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end).writerows(rows)
    manifest = read(tmp_path, file.getvalue().encode(encoding))
    assert manifest[["image", "identity", "view"]].to_numpy().tolist() == [row[:3] for row in TABLE[1:]]
    assert list(manifest["box"]) == [[1, 2, 3, 4], None]


def test_what_was_found_is_said_where_a_column_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError) as error:
        read(tmp_path, "Bild|Person|Ansicht\na.jpg|1|left\n")
    said = str(error.value)
    assert "line 1: there is no column image (found 'Bild|Person|Ansicht', separated by commas); the first line" in said
    with pytest.raises(BenchmarkError, match=r"'image', 'Person', 'view', .*semicolons"):
        read(tmp_path, "image;Person;view\na.jpg;1;left\n")


def test_images_of_other_views_can_be_left_out(tmp_path: Path) -> None:
    text = HEAD + "a.jpg,1,0\nb.jpg,1,45\nc.jpg,2,90\n"
    with pytest.raises(BenchmarkError, match=r"line 3: view '45' .*data.views.* 0, 90"):
        read(tmp_path, text, views=[0, 90])
    (tmp_path / "annotations.csv").write_text(text, encoding="utf-8")
    found = adapters.read(settings(views=[0, 90], other_views="leave_out"), tmp_path)
    assert found.manifest["image"].tolist() == ["a.jpg", "c.jpg"]
    assert found.dropped == {"of a view that is not in data.views": 1}


def test_four_columns_are_a_box(tmp_path: Path) -> None:
    manifest = read(tmp_path, "image,identity,view,x0,y0,x1,y1\na.jpg,1,left,1,2,3,4\nb.jpg,1,left,,,,\n")
    assert list(manifest["box"]) == [[1, 2, 3, 4], None]


@pytest.mark.parametrize(
    ("azimuth", "view"),
    [
        (0, "left"),
        (335, "left"),
        (334.999, "rear_left"),
        (24.999, "left"),
        (25, "front_left"),
        (-1e-20, "left"),
        (-25, "left"),
        (360, "left"),
        (75, "front"),
        (105, "front_right"),
        (180, "right"),
        (205, "rear_right"),
        (270, "rear"),
        (630, "rear"),
    ],
)
def test_azimuth(tmp_path: Path, azimuth: float, view: str) -> None:
    assert read(tmp_path, f"image,identity,azimuth_deg\na.jpg,1,{azimuth}\n").at[0, "view"] == view


def test_every_degree_is_in_exactly_one_bin_of_its_own() -> None:
    degrees = pd.Series(range(360), dtype=float)
    for name, (start, end) in Data().azimuth_bins.items():
        inside = (degrees >= start) & (degrees < end) if start < end else (degrees >= start) | (degrees < end)
        assert (binned(degrees, Data().azimuth_bins)[inside] == name).all()


def test_azimuth_in_no_bin_is_counted(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text("image,identity,azimuth_deg\na.jpg,1,10\nb.jpg,1,100\n")
    reading = adapters.read(settings(azimuth_bins={"left": (0, 90)}), tmp_path)
    assert len(reading.manifest) == 1
    assert reading.dropped == {"of an azimuth in no bin": 1}


def test_poses_that_are_no_car_views(tmp_path: Path) -> None:
    assert read(tmp_path, "image,identity,view\na.jpg,1,-15\n", views=("-15", "0")).at[0, "view"] == "-15"
    with pytest.raises(BenchmarkError, match=r"annotations\.csv, line 2: view 'left' .*data\.views.* -15, 0; "):
        read(tmp_path, "image,identity,view\na.jpg,1,left\n", views=("-15", "0"))


def test_unknown_views_come_with_the_setting_that_names_those_of_the_csv(tmp_path: Path) -> None:
    with pytest.raises(
        BenchmarkError, match=r"view 'side' is not .*; name it there by --set 'data.views=\[\"front\", \"side\"\]'"
    ):
        read(tmp_path, HEAD + "a.jpg,1,front\nb.jpg,1,side\n")
    with pytest.raises(
        BenchmarkError, match=r"; name it there by --set 'data.views=\[\"-15\", \"0\", \"9\", \"10\"\]'"
    ):
        read(tmp_path, HEAD + "a.jpg,1,10\nb.jpg,1,9\nc.jpg,2,0\nd.jpg,2,-15\n")
    with pytest.raises(BenchmarkError, match=r"rear_left; name it there, correct it"):
        read(tmp_path, HEAD + "".join(f"{n}.jpg,1,{n}\n" for n in range(13)))


HEAD = "image,identity,view\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            HEAD + "a.jpg,1,left\nb.jpg,1,frnt\n",
            r", line 3: view 'frnt' .*data\.views.* left, .*rear_left; did you mean front\?",
        ),
        (HEAD + "a.jpg,1,\n", r", line 2: view '' .*data\.views"),
        (HEAD + "a.jpg,,left\n", r", line 2: identity ''"),
        (HEAD + ",1,left\n", r", line 2: image ''"),
        (HEAD + "a.jpg,1,left\n./a.jpg,1,left\n", r", line 3: image 'a.jpg'"),
        (HEAD + "/etc/a.jpg,1,left\n", r", line 2: image '/etc/a.jpg'"),
        (HEAD + "b/../../a.jpg,1,left\n", r", line 2: image 'b/../../a.jpg'"),
        (HEAD + "b\\a.jpg,1,left\n", r", line 2: image "),
        (HEAD + "a.jpg,1\n", r", line 2: .* 3 fields .* 2"),
        (HEAD + 'a.jpg,"1\n2",left\nb.jpg,1\n', r", line 4: .* 3 fields"),
        (HEAD + 'a.jpg,"1" 2,left\n', r", line 2: .*quotes"),
        (HEAD + "a\0.jpg,1,left\n", r", line 2: (there is a NUL byte|line contains NUL)"),
        (HEAD + "a" * 200_000 + ",1,left\n", r", line 2: .*limit"),
        (HEAD, r" lists no images"),
        ("", r", line 1: .* image"),
        ("image,identities,view\na.jpg,1,left\n", r", line 1: .* identity; did you mean identities\?"),
        ("image,identity\na.jpg,1\n", r", line 1: .* view .* azimuth_deg"),
        ("image,identity,azimuth\na.jpg,1,4\n", r", line 1: .* azimuth_deg; did you mean azimuth\?"),
        ("image,identity,view,view\na.jpg,1,left,left\n", r", line 1: .*twice"),
        ("image,identity,azimuth_deg\na.jpg,1,10\nb.jpg,1,ten\n", r", line 3: azimuth_deg 'ten'"),
        ("image,identity,azimuth_deg\na.jpg,1,nan\n", r", line 2: azimuth_deg 'nan'"),
        ("image,identity,azimuth_deg\na.jpg,1,inf\n", r", line 2: azimuth_deg 'inf'"),
        ("image,identity,azimuth_deg\na.jpg,1,\n", r", line 2: azimuth_deg ''"),
        ("image,identity,view,box\na.jpg,1,left,1 2 3\n", r", line 2: box '1 2 3' .*four numbers"),
        ("image,identity,view,box\na.jpg,1,left,1 2 1 4\n", r", line 2: box '1 2 1 4'"),
        ("image,identity,view,box\na.jpg,1,left,1 2 x 4\n", r", line 2: box '1 2 x 4'"),
        ("image,identity,view,box\na.jpg,1,left,1 2 3 4e9\n", r", line 2: box '1 2 3 4e9'"),
        ("image,identity,view,x0,y0,x1,y1\na.jpg,1,left,1,2,,4\n", r", line 2: x0 y0 x1 y1 '1 2  4'"),
        (
            "image,identity,view,split\na.jpg,1,left,train\n",
            r", line 2: split 'train' .*auxiliary .*standard",
        ),
        ("image,identity,view,split\na.jpg,1,left,standard\nb.jpg,2,left,\n", r", line 3: split ''"),
        (
            "image,identity,view,split\na.jpg,A4,left,standard\nb.jpg,A4,left,auxiliary\n",
            r", line 3: identity 'A4'",
        ),
    ],
)
def test_a_bad_csv_is_named_with_the_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BenchmarkError, match=r"annotations\.csv" + sentence):
        read(tmp_path, text)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(BenchmarkError, match=r"annotations\.csv .*UTF-8"):
        read(tmp_path, (HEAD + "a.jpg,Citroën,left\n").encode(encoding))


def test_links_must_not_lead_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.jpg").touch()
    (root / "out").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    (root / "in.jpg").touch()
    (root / "fine.jpg").symlink_to(root / "in.jpg")
    with pytest.raises(BenchmarkError, match=r"annotations\.csv, line 3: image 'out/secret\.jpg'"):
        read(root, HEAD + "fine.jpg,1,left\nout/secret.jpg,1,left\n")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"annotations\.csv is missing; write it, or name"):
        adapters.read(settings(), tmp_path)
    (tmp_path / "labels.txt.csv").touch()
    with pytest.raises(
        BenchmarkError, match=r"is missing; there is 'labels\.txt\.csv'; write it, or name .* --annotat"
    ):
        adapters.read(settings(), tmp_path)
    with pytest.raises(BenchmarkError, match=r"labels\.csv"):
        adapters.read(settings(annotations="labels.csv"), tmp_path)
    with pytest.raises(BenchmarkError, match=r"lost "):
        adapters.read(settings(), tmp_path / "lost")
