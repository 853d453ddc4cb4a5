"""The command sides on rendered cars whose sides are hidden from it: what it writes, and what it refuses."""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark import cli
from benchmark.config.settings import Data
from benchmark.data import adapters
from benchmark.data import sides as recipe
from benchmark.errors import BenchmarkError
from benchmark.reporting.page import provenance_sheet
from benchmark.stages import sides as stage
from rendered_cars import folder
from tests.reporting.made import made_facts, profile

CARS = (10, 0, (20, 24), 64, 5)  # models, none scarce, images of each, pixels, seed: other cars than those of the start
Table = pd.DataFrame


@pytest.fixture(scope="session")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Table]:
    """The cars, and the sides that were there, by image."""
    root = tmp_path_factory.mktemp("sides") / "cars"
    folder.write(root, *CARS, workers=1)
    truth = pd.read_csv(root / "sides.csv", index_col="image")
    (root / "sides.csv").unlink()
    return root, truth[truth.index.map(lambda image: viewpoint(root, image) in "34")]


def viewpoint(root: Path, image: str) -> str:
    return (root / "label" / image).with_suffix(".txt").read_text(encoding="utf-8")[0]


@pytest.fixture(scope="session")
def first(hidden: tuple[Path, Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished call's outputs."""
    place = tmp_path_factory.mktemp("first")
    estimate(hidden[0], place)
    return place


@pytest.fixture
def root(hidden: tuple[Path, Table], tmp_path: Path) -> Path:
    return Path(shutil.copytree(hidden[0], tmp_path / "cars"))


@pytest.fixture(scope="session")
def starts() -> dict[str, Any]:
    return {kind: recipe.start(kind) for kind in ("side", "front-side")}


@pytest.fixture(autouse=True)
def rendered_once(starts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "start", starts.__getitem__)


def estimate(root: Path, place: Path, *labels: Path, **changes: Any) -> Table:
    wanted = {"output": place / "sides.csv", "sheet": None, "review": 30, "rear": False, **changes}
    stage.estimate(root, labels, **wanted)
    return pd.read_csv(wanted["output"] or root / "sides.csv", index_col="image")


def test_nearly_all_sides_are_right(hidden: tuple[Path, Table], first: Path) -> None:
    found, truth = pd.read_csv(first / "sides.csv", index_col="image"), hidden[1]
    assert list(found.columns) == ["side", "confidence"]
    assert list(found.index) == sorted(truth.index)
    right = found["side"] == truth["side"]
    assert right.mean() > 0.95
    assert found["confidence"].between(0.5, 1, inclusive="left").all()
    assert right[found["confidence"] > 0.8].mean() > 0.98


def test_the_least_certain_are_shown_and_listed(hidden: tuple[Path, Table], first: Path) -> None:
    listed, found = pd.read_csv(first / "sides_review.csv"), pd.read_csv(first / "sides.csv")
    least = found.sort_values(["confidence", "image"]).head(30)
    assert list(listed["number"]) == list(range(1, 31))
    assert list(listed["image"]) == list(least["image"])
    with Image.open(first / "sides_review.png") as sheet:
        assert sheet.size == (10 * stage.TILE, 3 * (stage.TILE + stage.CAPTION))
        assert np.asarray(sheet).std() > 10


def test_the_same_bytes_twice(hidden: tuple[Path, Table], first: Path, tmp_path: Path) -> None:
    estimate(hidden[0], tmp_path)
    files = sorted(path.name for path in first.iterdir())
    assert files == sorted(path.name for path in tmp_path.iterdir())
    assert all((first / name).read_bytes() == (tmp_path / name).read_bytes() for name in files)


def test_labels_by_hand_stay(
    hidden: tuple[Path, Table], first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two files, one of sides, of which the first is wrong, one of azimuths; one image is of no data set."""
    root, truth = hidden
    listed = pd.read_csv(first / "sides_review.csv").head(8)
    sides = truth["side"][listed["image"]].to_list()
    sides[0] = {"left": "right", "right": "left"}[sides[0]]
    listed.assign(side=sides).to_csv(tmp_path / "sides_review.csv", index=False)
    left, right = (truth.drop(listed["image"]).query("side == @side").index for side in ("left", "right"))
    others = [*left[:3], right[0]]
    azimuths = ["image,azimuth_deg", "image/99/9/2010/none.jpg,5"]
    azimuths += [f"image/{image},{degrees}" for image, degrees in zip(others, (0, -40, 89.5, 180), strict=True)]
    (tmp_path / "azimuths.csv").write_text("\n".join(azimuths), encoding="utf-8")
    capsys.readouterr()
    found = estimate(root, tmp_path, tmp_path / "sides_review.csv", tmp_path / "azimuths.csv")
    assert list(found["side"][listed["image"]]) == sides
    assert list(found["side"][others]) == ["left", "left", "left", "right"]
    assert set(found.index[found["confidence"] == 1]) == {*listed["image"], *others}
    said = capsys.readouterr().out
    assert "1 labels by hand" in said
    assert "estimated right without them" in said
    listing = pd.read_csv(tmp_path / "sides_review2.csv")  # the other one holds labels
    assert not set(listing["image"]) & {*listed["image"], *others}


def test_gone_astray_it_asks_for_labels_and_writes_no_sides(
    hidden: tuple[Path, Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start knows nothing; with the labels that are asked for, nothing of it is left."""
    root, truth = hidden
    random = np.random.default_rng(1).normal(size=recipe.SIZE).astype(np.float32)
    monkeypatch.setattr(recipe, "start", lambda kind: random)
    with pytest.raises(BenchmarkError, match=r"front-side and side: .* 85% .* --labels"):
        estimate(root, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sides_review.csv", "sides_review.png"]
    listed = pd.read_csv(tmp_path / "sides_review.csv")
    assert listed["image"].map(lambda image: viewpoint(root, image)).value_counts().to_dict() == {"3": 20, "4": 20}
    listed.assign(side=truth["side"][listed["image"]].to_numpy()).to_csv(tmp_path / "labels.csv", index=False)
    found = estimate(root, tmp_path, tmp_path / "labels.csv")
    assert (found["side"] == truth["side"]).mean() > 0.9


def test_an_image_that_cannot_be_read_gets_no_side(
    hidden: tuple[Path, Table], root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = hidden[1].index[0]
    (root / "image" / image).write_bytes(b"damaged")
    found = estimate(root, tmp_path)
    assert set(hidden[1].index) - set(found.index) == {image}
    said = capsys.readouterr().out
    assert f"1 images cannot be used and get no side, the first: {root / 'image' / image} is no readable image" in said


def test_the_adapter_drops_and_counts_what_is_unsure(hidden: tuple[Path, Table], root: Path) -> None:
    image, other, third = hidden[1].index[:3]
    rows = hidden[1].assign(confidence=0.9)
    rows.loc[[image, other, third], "confidence"] = [0.55, 0.65, 1.0]
    rows.to_csv(root / "sides.csv")
    settings = Data.model_validate({"dataset": "compcars", "root": str(root)})
    every, strict = (adapters.read(settings.model_copy(update={"side_confidence": x}), root) for x in (0.0, 0.7))
    usual = adapters.read(settings, root)
    counts = [len(reading.manifest) for reading in (every, usual, strict)]
    assert counts == [counts[0], counts[0] - 1, counts[0] - 2]
    assert strict.dropped["whose side has a confidence below 0.7"] == 2
    assert f"image/{image}" not in set(usual.manifest["image"])
    assert (
        f"1 of {len(rows)} images have their side by hand, 1 are left out for a confidence below 0.6" in usual.estimated
    )
    hidden[1].to_csv(root / "sides.csv")  # by hand, without confidence
    by_hand = adapters.read(settings, root)
    assert (len(by_hand.manifest), by_hand.estimated) == (counts[0], "")
    rows.assign(confidence=2).to_csv(root / "sides.csv")
    with pytest.raises(BenchmarkError, match=r"sides\.csv, line 2: confidence '2'"):
        adapters.read(settings, root)


def test_the_report_says_what_is_estimated() -> None:
    facts = made_facts(profile("smoke"))
    assert provenance_sheet(facts).notes == []
    assert provenance_sheet(facts.model_copy(update={"estimated": "Left and right."})).notes == ["Left and right."]


MISTAKES = {
    "no such root": ("--data-root nowhere", "nowhere has neither image nor data/image"),
    "no such labels": ("--data-root cars --labels lost.csv", "lost.csv does not exist"),
    "labels without sides": ("--data-root cars --labels names.csv", "names.csv, line 1: there is no column side"),
    "neither side": ("--data-root cars --labels top.csv", "top.csv, line 3: side 'top' is neither left nor right"),
    "no azimuth": ("--data-root cars --labels azimuths.csv", "azimuths.csv, line 2: azimuth_deg 'x' is no number"),
    "twice": ("--data-root cars --labels good.csv twice.csv", "twice.csv, line 2: image 'a.jpg' has a label already"),
    "over the labels": ("--data-root cars --labels good.csv --output good.csv", "good.csv has labels by hand"),
    "review over the labels": ("--data-root cars --labels good.csv --sheet good.png", "good.csv has labels by hand"),
    "no folder": ("--data-root cars --output there/sides.csv", "there is no folder"),
    "no PNG": ("--data-root cars --sheet sheet.jpg", "--sheet sheet.jpg: it is a PNG"),
    "both in one": ("--data-root cars --sheet cars/sides.png", "cars/sides.csv would hold both the sides"),
    "sides by hand": ("--data-root cars --output good.csv", "good.csv has no column confidence"),
    "nothing to see": ("--data-root empty", "empty/label has no side or front-side images"),
    "too few": ("--data-root few", "side images that can be used"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_sentence_and_nothing_is_written(
    case: str,
    hidden: tuple[Path, Table],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "cars").symlink_to(hidden[0])
    for name, content in {
        "names.csv": "image,name\na.jpg,b\n",
        "top.csv": "image,side\na.jpg,left\nb.jpg,top\n",
        "azimuths.csv": "image,azimuth_deg\na.jpg,x\n",
        "good.csv": "image,side\na.jpg,left\n",
        "twice.csv": "image,side\na.jpg,right\n",
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    for name, image in {"empty": "1/1/2010/a.jpg", "few": hidden[1].index[0]}.items():
        (tmp_path / name / "image").mkdir(parents=True)
        (tmp_path / name / "label").mkdir()
        if name == "few":
            for kind, suffix in (("image", ".jpg"), ("label", ".txt")):
                path = (tmp_path / name / kind / image).with_suffix(suffix)
                path.parent.mkdir(parents=True)
                shutil.copy((hidden[0] / kind / image).with_suffix(suffix), path)
    before = sorted(tmp_path.rglob("*"))
    line, words = MISTAKES[case]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark", "sides", *line.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert ended.value.code == 2
    assert said.startswith("error: ")
    assert words in said
    assert sorted(tmp_path.rglob("*")) == before


def test_without_sides_a_run_names_the_command(hidden: tuple[Path, Table]) -> None:
    settings = Data.model_validate({"dataset": "compcars", "root": str(hidden[0])})
    with pytest.raises(BenchmarkError, match=r"sides\.csv .*`benchmark sides --data-root .*`"):
        adapters.read(settings, hidden[0])
