"""The rendered cars as a data set: read as CompCars, whole or not at all, and every mistake a sentence."""

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd
import pytest

from benchmark.config.settings import NINE, Data, Rendered
from benchmark.data import adapters, compcars, rendered
from benchmark.data.manifest import CAR_VIEWS
from benchmark.errors import BenchmarkError
from rendered_cars.scene import CENTRES

SETTINGS = Rendered(identities=6, scarce=2, images=(16, 20), size=48, seed=3)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "cars"
    rendered.make(SETTINGS, root, workers=1)
    return root


@pytest.fixture(scope="module")
def scenes(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root / "scenes.parquet")


def test_the_compcars_adapter_reads_every_certain_view(root: Path, scenes: pd.DataFrame) -> None:
    read = compcars.read(Data(), root).manifest.set_index("image")["view"]
    expected = scenes[scenes["certain"]].set_index("image")["view"].rename(lambda image: f"image/{image}")
    assert read.to_dict() == expected.to_dict()
    assert set(scenes["view"]) == set(CAR_VIEWS) == set(CENTRES)


def test_car_views_are_read_as_compcars(root: Path) -> None:
    pd.testing.assert_frame_equal(adapters.read(Data(), root).manifest, compcars.read(Data(), root).manifest)


def test_the_nine_views_are_read_by_their_names(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"views": "nine", "identities": 2, "scarce": 0})
    rendered.make(settings, tmp_path / "cars", workers=1)
    found = adapters.read(Data(views=NINE, rendered=settings), tmp_path / "cars")
    scenes = pd.read_parquet(tmp_path / "cars/scenes.parquet")
    expected = scenes[scenes["certain"]].set_index("image")["view"].rename(lambda image: f"image/{image}")
    assert found.manifest.set_index("image")["view"].to_dict() == expected.to_dict()
    assert set(found.manifest["view"]) == set(NINE)
    assert sum(found.dropped.values()) == (~scenes["certain"]).sum()
    with pytest.raises(BenchmarkError, match="something other"):
        rendered.make(settings.model_copy(update={"views": "cars"}), tmp_path / "cars")


def test_other_views_are_of_the_size_of_the_data_set(scenes: pd.DataFrame) -> None:
    made = list(rendered.render_views(scenes.iloc[:2], ["rear", "left"], SETTINGS.seed, SETTINGS.size, workers=1))
    assert [(one.row, one.view, one.picture.shape) for one in made] == [
        (row, view, (36, 48, 3)) for row in range(2) for view in ("rear", "left")
    ]


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

    monkeypatch.setattr("rendered_cars.labels.write_names", fail)
    with pytest.raises(KeyboardInterrupt):
        rendered.make(SETTINGS.model_copy(update={"identities": 2}), tmp_path / "cars", workers=1)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_is_killed_is_named(
    scenes: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise BrokenProcessPool

    for name in ("write", "render_views"):
        monkeypatch.setattr(f"rendered_cars.folder.{name}", killed)
    with pytest.raises(BenchmarkError, match="a worker process was killed"):
        rendered.make(SETTINGS, tmp_path / "cars")
    with pytest.raises(BenchmarkError, match="a worker process was killed"):
        list(rendered.render_views(scenes, ["left"], SETTINGS.seed, SETTINGS.size))
