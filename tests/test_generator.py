"""A trained generator in Python: the pictures of the command, and what the page about it shows."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.config import settings
from benchmark.errors import BenchmarkError
from benchmark.generator import Generator, load
from benchmark.run.workspace import run_of_profile
from benchmark.stages.sample import sample_images
from tests.tools import PROJECT


@pytest.fixture
def folder(project: Path) -> Path:
    """The working directory, with the stored results and a picture."""
    Path("results").symlink_to(PROJECT / "results")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("car.jpg")
    return project


@pytest.fixture
def generator(folder: Path) -> Generator:
    return load("ours", profile="quick", device="cpu")


def test_a_call_draws_what_the_command_draws(generator: Generator, folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "car.jpg").rename(folder / "in" / "car.jpg")
    run = run_of_profile(settings.profile("quick"), "cpu")
    sample_images(run, "ours", 0, folder / "in", folder / "out")
    images = generator.read([folder / "in" / "car.jpg"])
    for view in generator.views:
        expected = np.asarray(Image.open(folder / "out" / f"car_{view}.png"))
        assert np.array_equal(generator(images, view)[0], expected)


@pytest.mark.usefixtures("folder")
def test_the_page_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    page = (PROJECT / "docs" / "python.md").read_text(encoding="utf-8")
    known: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, known)  # noqa: S102
    assert known["turned"].shape == known["images"].shape == (1, 32, 32, 3)
    assert known["drawn"].shape == (2, 3, 32, 32)
    assert known["drawn"].grad_fn is not None
    said = capsys.readouterr().out
    assert "('left', 'front_left', 'front', 'front_right', 'right') 32" in said
    assert re.search(r"^ours +0\.\d+", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("shape", "kind", "view", "said"),
    [
        ((1, 32, 32, 3), np.uint8, "top", "there is no view 'top'; it is one of left,"),
        ((32, 32, 3), np.uint8, "left", r"images of shape \(32, 32, 3\) and type uint8 do not fit"),
        ((0,), np.uint8, "left", "do not fit"),
        ((0, 32, 32, 3), np.uint8, "left", "do not fit"),
        ((1, 16, 16, 3), np.uint8, "left", "do not fit"),
        ((1, 32, 32, 3), np.float32, "left", "type float32 do not fit"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    shape: tuple[int, ...], kind: type, view: str, said: str, generator: Generator
) -> None:
    with pytest.raises(BenchmarkError, match=said):
        generator(np.zeros(shape, kind), view)


@pytest.mark.usefixtures("project")
def test_a_folder_without_a_generator_is_said() -> None:
    with pytest.raises(BenchmarkError, match="runs/quick/models/ours/seed0 holds no trained generator"):
        load("ours", profile="quick")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"model": "our"}, "there is no model our.*did you mean ours"),
        ({"model": "ours", "profile": "quick", "run": "mine"}, "the run mine has settings of its own"),
        ({"model": "ours", "plugins": ["gone.py"]}, r"the plug-in gone\.py does not exist"),
        ({"model": "ours", "plugins": "gone.py"}, r"the plug-in gone\.py does not exist"),
    ],
)
def test_wrong_names_are_one_sentence(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(BenchmarkError, match=said):
        load(**wrong)


def test_a_list_is_taken_for_images_and_a_name_for_one_file(generator: Generator) -> None:
    with pytest.raises(BenchmarkError, match="do not fit"):
        generator([], "left")  # type: ignore[arg-type]
    assert np.array_equal(generator.read("car.jpg"), generator.read([Path("car.jpg")]))
