"""The rendered cars: layout, counts, determinism, views."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import loadmat

from rendered_cars import face, folder
from rendered_cars.identity import draw_car
from rendered_cars.labels import write_names
from rendered_cars.materials import Material
from rendered_cars.raycast import render
from rendered_cars.roster import roster, scarce, shots
from rendered_cars.scene import CENTRES, NINE, draw
from rendered_cars.solid import assemble

IDENTITIES, FEW, IMAGES, SIZE, SEED = NUMBERS = (6, 2, (16, 20), 48, 3)


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "cars"
    folder.write(root, *NUMBERS, workers=1)
    return root


@pytest.fixture(scope="module")
def scenes(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root / "scenes.parquet")


def label(root: Path, image: str) -> list[list[int]]:
    text = (root / "label" / image).with_suffix(".txt").read_text()
    return [[int(word) for word in line.split()] for line in text.splitlines()]


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(root: Path, tmp_path: Path) -> None:
    folder.write(tmp_path / "again", *NUMBERS, workers=2)
    assert digest(tmp_path / "again") == digest(root)


def test_what_is_planned_for_the_car_views_is_what_it_always_was() -> None:
    planned = [shots(entry, entry.model % 5 == 0, (22, 34), 0) for entry in roster(20, 0)]
    text = repr([[(shot.image, shot.view, shot.certain, shot.scene) for shot in own] for own in planned])
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "8d31adb3516b1c471ce0b63b6e12b1606f3f9da2c89d2dec87713733eff9efb4"
    )


def test_another_seed_gives_other_pictures(root: Path, tmp_path: Path) -> None:
    folder.write(tmp_path / "other", 2, 0, IMAGES, SIZE, SEED + 1, workers=1)
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
    for entry in roster(IDENTITIES, SEED):
        for key, number in (("make_names", entry.make), ("model_names", entry.model)):
            assert str(content[key][number - 1, 0].item()).isalpha()


def test_some_ids_have_no_name(tmp_path: Path) -> None:
    write_names(0, roster(40, SEED), tmp_path / "names.mat")
    models = loadmat(tmp_path / "names.mat")["model_names"]
    assert {cell.size for cell in models[:, 0]} == {0, 1}


def test_all_views_occur(scenes: pd.DataFrame) -> None:
    assert set(scenes["view"]) == set(CENTRES)


def test_only_scarce_models_have_fewer_than_ten_pictures_from_ahead(scenes: pd.DataFrame) -> None:
    ahead = scenes[scenes["certain"] & ~scenes["view"].str.startswith("rear")].groupby("model").size()
    entries = roster(IDENTITIES, SEED)
    few = scarce(entries, FEW, SEED)
    assert len(few) == FEW
    for entry in entries:
        assert (ahead[entry.model] < 10) == (entry.model in few)


def test_the_common_views_are_equally_frequent_and_rear_views_rare() -> None:
    views = pd.Series([shot.view for entry in roster(226, 0) for shot in shots(entry, False, (22, 34), 0)])
    shares = views.value_counts(normalize=True)
    assert shares.filter(regex="^(left|right|front)").between(0.17, 0.19).all()
    assert 0.08 < shares.filter(regex="^rear").sum() < 0.12


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "nine"
    folder.write(root, *NUMBERS, nine=True, workers=1)
    return root


def test_the_nine_views_are_alike_often_and_turned_by_less_than_half_a_step(nine: Path) -> None:
    scenes = pd.read_parquet(nine / "scenes.parquet")
    assert set(scenes["view"]) == set(NINE) == {"-60", "-45", "-30", "-15", "0", "15", "30", "45", "60"}
    entries = roster(IDENTITIES, SEED)
    few = scarce(entries, FEW, SEED)
    for model, views in scenes.groupby("model")["view"]:
        counts = views.value_counts().reindex(list(NINE), fill_value=0)
        assert counts.max() - counts.min() <= 1
        assert (counts.sum() < 10) == (model in few)
    assert 1 < scenes["turn"].abs().max() <= 3


def test_an_azimuth_is_seen_as_the_car_view_of_the_same_azimuth(nine: Path) -> None:
    scene = pd.read_parquet(nine / "scenes.parquet").iloc[0]
    for name, same, turn in (
        ("-45", "front_left", 0),
        ("0", "front", 0),
        ("45", "front_right", 0),
        ("60", "right", -30),
    ):
        turned = scene.to_dict() | {"turn": scene["turn"] + turn}
        first, second = folder.render_view(scene, name, SIZE, SEED), folder.render_view(turned, same, SIZE, SEED)
        assert np.array_equal(first[0], second[0])
        assert first[1] == second[1]


def test_compcars_labels_of_the_nine_views_are_the_coarse_ones(nine: Path) -> None:
    scenes = pd.read_parquet(nine / "scenes.parquet")
    sides = pd.read_csv(nine / "sides.csv").set_index("image")["side"].to_dict()
    for scene in scenes.to_dict("records"):
        angle = int(scene["view"])
        assert label(nine, scene["image"])[0][0] == (-1 if not scene["certain"] else 4 if angle else 1)
        side = ("left", None, "right")[1 + np.sign(angle)] if scene["certain"] else None
        assert sides.get(scene["image"]) == side


def test_the_own_view_of_a_scene_gives_the_stored_picture_and_box(root: Path, scenes: pd.DataFrame) -> None:
    for _, scene in scenes.iloc[::17].iterrows():
        picture, (x0, y0, x1, y1) = folder.render_view(scene, scene["view"], SIZE, SEED)
        stored = np.asarray(Image.open(root / "image" / scene["image"])).astype(int)
        assert np.abs(stored - picture).mean() < 4
        assert label(root, scene["image"])[2] == [x0 + 1, y0 + 1, x1, y1]


def nose_minus_tail(picture: np.ndarray, plain: np.ndarray) -> float:
    """Return how much farther left than right the pictures differ, by the centre of mass of their difference."""
    change = np.abs(picture.astype(int) - plain).sum(axis=(0, 2)).astype(float)
    return float((change * np.linspace(-1, 1, len(change))).sum() / change.sum())


@pytest.mark.parametrize(("view", "side"), [("left", -1), ("front_left", -1), ("front_right", 1), ("right", 1)])
def test_the_nose_is_on_the_named_side(view: str, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    car, scene = draw_car(0, 1, 1, 0), draw(np.random.default_rng(0))
    plain, _ = render(assemble(car), scene, view, 96)
    drawn = face.front(car)
    drawn.box(-2, -2, 2, 2, Material.WHITE)
    monkeypatch.setattr(face, "front", lambda _: drawn)
    painted, _ = render(assemble(car), scene, view, 96)
    assert side * nose_minus_tail(painted, plain) > 0.2


def test_many_views_come_in_order_and_equal_single_ones(scenes: pd.DataFrame) -> None:
    some = scenes.iloc[[0, 1, 40]]
    made = list(folder.render_views(some, ["rear", "left"], SIZE, SEED, workers=2))
    assert [(one.row, one.view) for one in made] == [(i, view) for i in range(3) for view in ("rear", "left")]
    for one in made:
        picture, box = folder.render_view(some.iloc[one.row], one.view, SIZE, SEED)
        assert np.array_equal(one.picture, picture)
        assert one.box == box
