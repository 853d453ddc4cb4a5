"""A small run that is killed at chosen and at random moments, or whose disk is full, ends as one that is left alone."""

import random
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.stages.conftest import CHANGES, draw_pictures
from tools.faults.children import FEWER, Prepare, Project, killed_after_draw, nothing, signal_at_draw
from tools.faults.comparing import contents, differences
from tools.faults.disk import on_a_small_disk
from tools.faults.victim import BEFORE, HALF, REMOVAL, SECOND, spring

TERM, INT, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGKILL
MOMENTS = random.Random(0)
TRAINING = "models/two_step/seed0"
OF_PICTURES = tuple((key, value) for key, value in CHANGES.items() if key not in FEWER)


def trap(kind: str, path: str) -> Prepare:
    return partial(spring, kind, path)


DEATHS: tuple[tuple[Prepare, int], ...] = (  # in the order of the run, each with its exit code
    (trap(BEFORE, "data/store/images.npy"), -KILL),
    (trap(HALF, "extractors/view/run.json"), -signal.SIGXFSZ),
    (trap(BEFORE, "identity/real/seed0/outputs/outputs.safetensors"), -KILL),
    (signal_at_draw(TERM, 3), 130),
    (signal_at_draw(KILL, 4), -KILL),
    (trap(SECOND, "models/tiny/seed0/run.json"), -KILL),
    (trap(BEFORE, f"{TRAINING}/run.json"), -KILL),
    (trap(HALF, f"{TRAINING}/run.json"), -signal.SIGXFSZ),
    (killed_after_draw(1, MOMENTS.uniform(0, 0.006)), -signal.SIGALRM),
    (killed_after_draw(2, MOMENTS.uniform(0, 0.006)), -signal.SIGALRM),
    (signal_at_draw(INT, 4), 130),
    (trap(BEFORE, f"{TRAINING}/checkpoint.pt"), -KILL),
    (trap(BEFORE, f"{TRAINING}/generator.safetensors"), -KILL),
    (trap(REMOVAL, f"{TRAINING}/checkpoint.pt"), -KILL),
    (trap(SECOND, "identity/tiny/seed0/random/nc2/run.json"), -KILL),
    (trap(BEFORE, "fewshot/tiny/seed0/outcomes.parquet"), -KILL),
    (trap(BEFORE, "results/report.html"), -KILL),
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "pictures"
    draw_pictures(folder)
    return folder


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The result of a run that is not disturbed."""
    project = Project(tmp_path_factory.mktemp("whole"), pictures, changes=OF_PICTURES)
    project.make_here()
    return contents(project.folder)


def test_kills_leave_no_trace(pictures: Path, whole: dict[str, str], tmp_path: Path) -> None:
    project = Project(tmp_path, pictures, changes=OF_PICTURES)
    for number, (before, expected) in enumerate(DEATHS):
        code, said = project.make(before)
        assert (code, said.count("\n")) == (expected, expected == 130), (number, said)
    for _ in range(2):  # while the results are written
        project.make(kill_after=MOMENTS.uniform(0.2, 2))
    assert project.make(nothing) == (0, "")
    assert differences(whole, contents(tmp_path)) == []


def test_a_full_disk_leaves_no_trace(pictures: Path, whole: dict[str, str], tmp_path: Path) -> None:
    found = on_a_small_disk(
        Project(tmp_path / "disk", pictures, changes=OF_PICTURES), 420 * 2**20, longest=45, seed=0, whole=whole
    )
    if found.refused:
        pytest.skip(f"no small disk can be mounted here: {found.refused}")
    assert found.problems == []
