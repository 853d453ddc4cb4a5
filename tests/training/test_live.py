"""Live logs: TensorBoard reads back what was written, an interruption leaves no trace, and the weights are the same."""

import csv
import errno
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from benchmark import seeding
from benchmark.data.pixels import to_uint8
from benchmark.environment import open_fabric
from benchmark.errors import FullDiskError, InterruptedRun
from benchmark.training import checkpoint
from benchmark.training.live import LiveLog, evaluating
from benchmark.training.loop import Files, Schedule, train
from models.interface import Batches, ModelSpec
from tests.tiny import Tiny
from tests.tools import RandomBatches, spec
from tests.training.test_loop import Disturbed, control_c, crash

SCHEDULE = Schedule(images=28, log_every=2, checkpoint_seconds=3, axes=("test", 0))  # 7 cycles of 4 images
KEYS = np.array([3, 8])
INPUTS = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)


class Sensitive(Tiny):
    """Looking at it in training mode would change its statistics, and every grid draws random numbers."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout(0.5))
        self.register_buffer("finished", torch.zeros(()))
        self.finished: Tensor

    def finish(self, batches: Batches) -> None:
        self.finished.fill_(1)

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        drawn = self.network(image) + 0 * torch.rand(())
        return torch.where(self.finished > 0, torch.tanh(drawn), view_code.argmax(1)[:, None, None, None] / 4 - 1)


def run(folder: Path, batches: Batches | None = None, every: int = 2, live: bool = True) -> Files:
    """Train in `folder`, with live logs in `folder`/live if they are wanted."""
    seeding.seed_global("weights")
    model, logs = Sensitive(spec()), [LiveLog(folder / "live", INPUTS, KEYS, every)] if live else []
    try:
        fabric = open_fabric("cpu", "32-true", *logs)
        train(model, batches or RandomBatches(spec()), fabric, SCHEDULE, Files(folder), "live")
    finally:
        for log in logs:
            log.finalize("")
    return Files(folder)


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder / "live"), {"images": 0, "scalars": 0}).Reload()


def steps(folder: Path) -> dict[str, list[int]]:
    events = read(folder)
    assert events.Tags()["scalars"] == ["losses/loss"]
    assert events.Tags()["images"] == ["samples"]
    found = {"losses": events.Scalars("losses/loss"), "samples": events.Images("samples")}
    return {name: [event.step for event in series] for name, series in found.items()}


def pictures(folder: Path) -> list[NDArray[np.uint8]]:
    return [np.array(Image.open(io.BytesIO(e.encoded_image_string))) for e in read(folder).Images("samples")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted training with live logs."""
    return run(tmp_path_factory.mktemp("whole")).folder


@pytest.mark.parametrize("every", [1, 2, 100])
def test_the_training_is_the_same_with_and_without(every: int, tmp_path: Path) -> None:
    on, off = run(tmp_path / "on", every=every), run(tmp_path / "off", live=False)
    assert on.weights.read_bytes() == off.weights.read_bytes()
    assert on.log.read_bytes() == off.log.read_bytes()


def test_losses_stand_over_the_images_used(whole: Path) -> None:
    with Files(whole).log.open(encoding="utf-8", newline="") as stream:
        rows = [(int(row["images"]), float(row["loss"])) for row in csv.DictReader(stream)]
    found = [(event.step, event.value) for event in read(whole).Scalars("losses/loss")]
    assert [step for step, _ in found] == [step for step, _ in rows] == [8, 16, 24, 28]
    assert [value for _, value in found] == pytest.approx([value for _, value in rows], abs=1e-6)


def test_a_grid_every_so_many_cycles_and_one_of_the_finished_model(whole: Path, tmp_path: Path) -> None:
    assert steps(whole)["samples"] == [8, 16, 24, 28]
    assert steps(run(tmp_path / "seven", every=7).folder)["samples"] == [28]
    assert steps(run(tmp_path / "hundred", every=100).folder)["samples"] == [28]


def test_a_grid_shows_the_inputs_and_every_view(whole: Path) -> None:
    before, last = (unframed(grid) for grid in (pictures(whole)[0], pictures(whole)[-1]))
    assert np.array_equal(before[:, 0], to_uint8(INPUTS))
    grey = [set(np.unique(before[:, 1 + view])) for view in range(spec().views)]
    assert grey == [{round((view / 4) * 127.5)} for view in range(spec().views)]
    model = Sensitive(spec()).eval()
    checkpoint.load_weights(model, Files(whole).weights)
    drawn = to_uint8(model.generate(INPUTS, torch.ones(2, spec().views), torch.zeros(2, 128)))
    assert all(np.array_equal(last[:, 1 + view], drawn) for view in range(spec().views))


def unframed(grid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a grid to its pictures, (rows, columns, 32, 32, 3)."""
    cells = grid[2:, 2:].reshape(2, 34, spec().views + 1, 34, 3)
    return cells.transpose(0, 2, 1, 3, 4)[:, :, :32, :32]


@pytest.mark.parametrize(("draw", "what"), [(1, control_c), (3, control_c), (4, control_c), (5, crash), (7, crash)])
def test_an_interruption_leaves_no_trace(draw: int, what: Callable[[], None], whole: Path, tmp_path: Path) -> None:
    with pytest.raises((InterruptedRun, RuntimeError)):
        run(tmp_path, Disturbed(draw, what))
    for number, path in enumerate((tmp_path / "live").glob("*")):  # TensorBoard reads files in the order of their names
        path.rename(path.with_name(f"events.out.tfevents.{number}"))
    run(tmp_path)
    assert steps(tmp_path) == steps(whole)
    assert all(np.array_equal(a, b) for a, b in zip(pictures(tmp_path), pictures(whole), strict=True))


def test_every_module_gets_its_own_mode_back() -> None:
    model = Sensitive(spec()).train()
    model.network[1].eval()
    before = [module.training for module in model.modules()]
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before
    with pytest.raises(RuntimeError, match="pulled the plug"), evaluating(model):
        crash()
    assert [module.training for module in model.modules()] == before


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LiveLog(tmp_path / "live", INPUTS, KEYS, 1)
    monkeypatch.setattr(log.experiment, "add_scalar", full)
    with pytest.raises(FullDiskError, match=f"no space left on the disk for {tmp_path}/live; free some"):
        log.log_metrics({"loss": 1.0}, 1)


def full(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
