"""Preparing the data alone, and the estimate of what a run takes."""

import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmark.errors import BenchmarkError
from benchmark.execution import tasks
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import check
from benchmark.run.workspace import Run
from benchmark.stages import estimate
from benchmark.stages.data import duration, gigabytes
from benchmark.stages.pipeline import prepare_alone
from tests.stages.small import small_run

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with small_run(tmp_path) as small:
        yield small


def test_dry_says_everything_and_writes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(prepare_alone(run, dry=True, timed=False)) == []
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said if not line.startswith("few-shot")] == [
        *("read", "filter", "views", "store", "split")
    ]
    assert "views: 47 left, 47 right; 10 to 12 images of an identity, 12 in the middle" in said
    assert any(line.startswith("store: 94 images at 16 px take 0.1 MB on the disk") for line in said)
    assert not Path("runs").exists()


def test_the_run_resumes_from_there(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    list(prepare_alone(run, timed=False))
    assert check(run, Artifact("store")).action == "skip"
    assert not (run.folder / "models").exists()
    said = capsys.readouterr().out
    assert "\nstore: 94 images at 16 px" in said
    list(prepare_alone(run, timed=False))
    assert "images at 16 px" not in capsys.readouterr().out  # it is there
    for task in tasks.training(run):
        tasks.carry_out(run, task)
    assert check(run, Artifact("generator", "tiny")).action == "skip"


@pytest.mark.parametrize("dry", [True, False])
def test_the_estimate_names_every_model_and_the_whole(run: Run, dry: bool) -> None:
    head, model, parts, whole = prepare_alone(run, dry)
    assert ("random images" if dry else "images of the store") in head
    assert model.startswith("  tiny: ")
    assert all(part in parts for part in ("models ", "judges ", "measuring identity ", "few-shot "))
    assert whole.startswith("the whole run: about ")


def test_the_estimate_counts_cycles_seeds_and_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "_model", lambda *_: (60.0, 0.0, 3 * 10**9, 20))  # 2 cycles for 32 images
    several = replace(run, settings=run.settings.model_copy(update={"seeds": 3}))
    _, model, parts, whole = prepare_alone(several, dry=True)
    text = "  tiny: 6.0 min for 3 training runs of 32 images (training.images), 60 s for a cycle of 20, 3.0 GB"
    assert model == text
    assert "models 6.0 min" in parts
    assert "3.0 GB" in whole


def test_a_large_batch_is_computed_from_two_small_ones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def measured(part: Run, *_: object) -> tuple[float, float, int, int]:
        size = part.settings.training.batch_size
        sizes.append(size)
        return 1.0 + 2.0 * size, 0.0, 10**9 * (1 + size), 2 * size  # a second, a GB and more for each image

    monkeypatch.setattr(estimate, "_measured", measured)
    monkeypatch.setattr(estimate, "SMALL", 3 * 16**2)
    training = run.settings.training.model_copy(update={"batch_size": 20, "images": 40})
    large = replace(run, settings=run.settings.model_copy(update={"training": training}))
    head, model, *_ = prepare_alone(large, dry=True)
    assert "in batches of 3 and 12, from which those of 20 are computed" in head
    assert model.endswith("41 s for a cycle of 40, 21.0 GB")
    assert sizes == [3, 12]


def test_a_model_without_memory_does_not_stop_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(estimate, "_model", none_left)
    lines = list(prepare_alone(run, dry=True))
    assert lines[1].startswith("  tiny: there is too little memory")
    assert lines[-1].startswith("the whole run without tiny: about ")


def test_a_disk_that_is_too_small_is_said_before_an_image_is_decoded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**6, 10**6, 1000))
    with pytest.raises(BenchmarkError, match=r"0\.1 MB at 16 px, .*runs/finished .*0\.0 MB"):
        list(prepare_alone(run, timed=False))
    assert not (run.data / "store").exists()


def test_images_that_cannot_be_used_are_said_before_anything_is_decoded(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = sorted(Path("pictures").glob("**/*.png"))
    pictures[0].write_bytes(b"no image")
    list(prepare_alone(run, dry=True, timed=False))
    assert f"; 1 of 32 that were tried cannot be used: {pictures[0]} is no readable image: " in capsys.readouterr().out
    for picture in pictures:
        picture.unlink()
    with pytest.raises(BenchmarkError, match=r"none of 32 images that were tried can be used; .* relative to pictures"):
        list(prepare_alone(run, dry=True, timed=False))


def test_the_same_pixels_under_two_names_are_said_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = Path("pictures")
    for name in ("0_1", "0_2", "1_3"):  # view right; left as 0_0; another identity and view
        shutil.copy(pictures / "0_0.png", pictures / f"{name}.png")
    list(prepare_alone(run, timed=False))
    said = "repeated: 3 images have the same pixels as another, 2 of them with another identity or view, such as "
    assert f"\n{said}0_0.png and 0_1.png; remove their lines\n" in capsys.readouterr().out
    list(prepare_alone(run, timed=False))
    assert "repeated" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.31, "0.3 s"), (45, "45 s"), (90, "1.5 min"), (3000, "50 min"), (9000, "2.5 h"), (200000, "2.3 days")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_sizes() -> None:
    assert (gigabytes(1_053_696), gigabytes(13_600_000_000)) == ("1.1 MB", "13.6 GB")
