"""The rendered cars: layout, counts, determinism, views."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmark.data.cars.roster import roster, scarce
from PIL import Image
from scipy.io import loadmat

from benchmark.data import compcars, rendered
from benchmark.data.manifest import CAR_VIEWS
from benchmark.errors import BenchmarkError
from benchmark.settings import Data, Rendered

SETTINGS = Rendered(identities=6, scarce=2, images=(16, 20), size=48, seed=3)


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "cars"
    rendered.make(SETTINGS, root, workers=1)
    return root


@pytest.fixture(scope="module")
def scenes(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root / "scenes.parquet")


def label(root: Path, image: str) -> list[list[int]]:
    text = (root / "label" / image).with_suffix(".txt").read_text()
    return [[int(word) for word in line.split()] for line in text.splitlines()]


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(root: Path, tmp_path: Path) -> None:
    rendered.make(SETTINGS, tmp_path / "again", workers=2)
    assert digest(tmp_path / "again") == digest(root)


def test_another_seed_gives_other_pictures(root: Path, tmp_path: Path) -> None:
    other = SETTINGS.model_copy(update={"seed": 4, "identities": 2, "scarce": 0})
    rendered.make(other, tmp_path / "other", workers=1)
    pictures = [{h for name, h in digest(r).items() if name.endswith(".jpg")} for r in (root, tmp_path / "other")]
    assert pictures[0].isdisjoint(pictures[1])


def test_every_picture_has_a_label_with_a_box_inside_it(root: Path, scenes: pd.DataFrame) -> None:
    images = {path.relative_to(root / "image").as_posix() for path in (root / "image").rglob("*.jpg")}
    assert images == set(scenes["image"])
    for image in images:
        (viewpoint,), (boxes,), (x1, y1, x2, y2) = label(root, image)
        width, height = Image.open(root / "image" / image).size
        assert (width, height, boxes) == (48, 36, 1)
        assert viewpoint in (-1, 1, 2, 3, 4, 5)
        assert 1 <= x1 < x2 <= width
        assert 1 <= y1 < y2 <= height


def test_sides_cover_exactly_the_views_that_have_one(root: Path, scenes: pd.DataFrame) -> None:
    sides = pd.read_csv(root / "sides.csv").set_index("image")["side"].to_dict()
    assert set(sides) == {image for image in scenes["image"] if label(root, image)[0][0] in (3, 4, 5)}
    views = scenes.set_index("image")["view"]
    assert all(views[image] in (side, f"front_{side}", f"rear_{side}") for image, side in sides.items())


def test_names_are_found_by_their_ids_from_one(root: Path) -> None:
    content = loadmat(root / "misc" / "make_model_name.mat")
    for entry in roster(SETTINGS):
        for key, number in (("make_names", entry.make), ("model_names", entry.model)):
            assert str(content[key][number - 1, 0].item()).isalpha()


def test_some_ids_have_no_name(tmp_path: Path) -> None:
    from benchmark.data.cars.compcars_files import write_names

    write_names(0, roster(SETTINGS.model_copy(update={"identities": 40})), tmp_path / "names.mat")
    models = loadmat(tmp_path / "names.mat")["model_names"]
    assert {cell.size for cell in models[:, 0]} == {0, 1}


def test_the_compcars_adapter_reads_every_certain_view(root: Path, scenes: pd.DataFrame) -> None:
    read = compcars.read(Data(), root).manifest.set_index("image")["view"]
    expected = scenes[scenes["certain"]].set_index("image")["view"].rename(lambda image: f"image/{image}")
    assert read.to_dict() == expected.to_dict()


def test_all_views_occur(scenes: pd.DataFrame) -> None:
    assert set(scenes["view"]) == set(CAR_VIEWS)


def test_only_scarce_models_have_fewer_than_ten_pictures_from_ahead(scenes: pd.DataFrame) -> None:
    ahead = scenes[scenes["certain"] & ~scenes["view"].str.startswith("rear")].groupby("model").size()
    few = scarce(SETTINGS)
    assert len(few) == SETTINGS.scarce
    for entry in roster(SETTINGS):
        assert (ahead[entry.model] < 10) == (entry.model in few)


def test_the_common_views_are_equally_frequent_and_rear_views_rare() -> None:
    from benchmark.data.cars.roster import shots

    settings = Rendered()
    views = pd.Series([shot.view for entry in roster(settings) for shot in shots(settings, entry, False)])
    shares = views.value_counts(normalize=True)
    assert shares.filter(regex="^(left|right|front)").between(0.17, 0.19).all()
    assert 0.08 < shares.filter(regex="^rear").sum() < 0.12


def test_the_own_view_of_a_scene_gives_the_stored_picture_and_box(root: Path, scenes: pd.DataFrame) -> None:
    for _, scene in scenes.iloc[::17].iterrows():
        picture, (x0, y0, x1, y1) = rendered.render_view(scene, scene["view"], SETTINGS.seed, SETTINGS.size)
        stored = np.asarray(Image.open(root / "image" / scene["image"])).astype(int)
        assert np.abs(stored - picture).mean() < 4
        assert label(root, scene["image"])[2] == [x0 + 1, y0 + 1, x1, y1]


def nose_minus_tail(picture: np.ndarray, plain: np.ndarray) -> float:
    """Return how much farther left than right the pictures differ, by the centre of mass of their difference."""
    change = np.abs(picture.astype(int) - plain).sum(axis=(0, 2)).astype(float)
    return float((change * np.linspace(-1, 1, len(change))).sum() / change.sum())


@pytest.mark.parametrize(("view", "side"), [("left", -1), ("front_left", -1), ("front_right", 1), ("right", 1)])
def test_the_nose_is_on_the_named_side(view: str, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.data.cars import face
    from benchmark.data.cars.identity import draw_car
    from benchmark.data.cars.materials import Material
    from benchmark.data.cars.raycast import render
    from benchmark.data.cars.scene import draw
    from benchmark.data.cars.solid import assemble

    car, scene = draw_car(0, 1, 1, 0), draw(np.random.default_rng(0))
    plain, _ = render(assemble(car), scene, view, 96)
    drawn = face.front(car)
    drawn.box(-2, -2, 2, 2, Material.WHITE)
    monkeypatch.setattr(face, "front", lambda _: drawn)
    painted, _ = render(assemble(car), scene, view, 96)
    assert side * nose_minus_tail(painted, plain) > 0.2


def test_many_views_come_in_order_and_equal_single_ones(scenes: pd.DataFrame) -> None:
    some = scenes.iloc[[0, 1, 40]]
    made = list(rendered.render_views(some, ["rear", "left"], SETTINGS.seed, SETTINGS.size, workers=2))
    assert [(one.row, one.view) for one in made] == [(i, view) for i in range(3) for view in ("rear", "left")]
    for one in made:
        picture, box = rendered.render_view(some.iloc[one.row], one.view, SETTINGS.seed, SETTINGS.size)
        assert np.array_equal(one.picture, picture)
        assert one.box == box


def test_a_finished_data_set_is_left_alone(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    rendered.make(SETTINGS, root)
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_a_folder_with_something_else_is_refused(root: Path) -> None:
    with pytest.raises(BenchmarkError, match="something other"):
        rendered.make(SETTINGS.model_copy(update={"seed": 9}), root)


def test_a_failed_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.data.cars.compcars_files.write_names", fail)
    with pytest.raises(KeyboardInterrupt):
        rendered.make(SETTINGS.model_copy(update={"identities": 2}), tmp_path / "cars", workers=1)
    assert list(tmp_path.iterdir()) == []
