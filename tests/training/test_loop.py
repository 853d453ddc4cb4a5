"""The training loop: an interruption anywhere changes nothing, damage and divergence are said."""

import csv
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from benchmark import seeding
from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.training import checkpoint
from benchmark.training.interruption import stoppable
from benchmark.training.loop import DivergedError, Files, Schedule, train
from models.interface import Batch, Batches, ViewModel
from models.registry import find
from tests.tiny import Tiny
from tests.tools import RandomBatches, arguments, spec

CYCLES = 7
SCHEDULE = Schedule(images=4 * CYCLES, log_every=2, checkpoint_seconds=3, axes=("test", 0))


def network(name: str = "ours") -> ViewModel:
    seeding.seed_global("weights", name)
    return Tiny(spec()) if name == "tiny" else find(name).load()(spec())


def run(folder: Path, fabric: Fabric, batches: Batches, name: str = "ours", schedule: Schedule = SCHEDULE) -> Files:
    folder.mkdir(exist_ok=True)
    train(network(name), batches, fabric, schedule, Files(folder), name)
    return Files(folder)


class Disturbed(RandomBatches):
    """Batches that do something at the n-th draw."""

    def __init__(self, draw: int, what: Callable[[], None]) -> None:
        super().__init__(spec())
        self.at, self.what = draw, what

    def draw(self) -> Batch:
        batch = super().draw()
        if self.drawn == self.at:
            self.what()
        return batch


def control_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def crash() -> None:
    raise RuntimeError("pulled the plug")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """An uninterrupted training."""
    return run(tmp_path_factory.mktemp("whole"), Fabric(accelerator="cpu", devices=1), RandomBatches(spec()))


@pytest.mark.parametrize("draw", [1, 6, 7, 9])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    draw: int, whole: Files, tmp_path: Path, fabric: Fabric
) -> None:
    cycle = (draw + 1) // 2  # a cycle of `ours` draws two batches
    with pytest.raises(InterruptedRun, match=f"saved after cycle {cycle}; the same command resumes"):
        run(tmp_path, fabric, Disturbed(draw, control_c))
    assert Files(tmp_path).checkpoint.exists()
    assert not Files(tmp_path).weights.exists()
    files = run(tmp_path, fabric, RandomBatches(spec()))
    assert files.weights.read_bytes() == whole.weights.read_bytes()
    assert files.log.read_bytes() == whole.log.read_bytes()


def test_a_crash_goes_back_to_the_last_checkpoint(whole: Files, tmp_path: Path, fabric: Fabric) -> None:
    with pytest.raises(RuntimeError, match="pulled the plug"):
        run(tmp_path, fabric, Disturbed(9, crash))  # in cycle 5: row 4 of the log is written, checkpoint 3 is the last
    files = run(tmp_path, fabric, RandomBatches(spec()))
    assert files.weights.read_bytes() == whole.weights.read_bytes()
    assert files.log.read_bytes() == whole.log.read_bytes()


def test_a_training_that_is_done_but_not_on_record_ends_the_same_way_again(
    whole: Files, tmp_path: Path, fabric: Fabric
) -> None:
    run(tmp_path, fabric, RandomBatches(spec()))
    assert Files(tmp_path).checkpoint.exists()
    Files(tmp_path).weights.unlink()
    only_cycle_7 = Disturbed(2 + spec().refresh_batches + 1, crash)  # which draws two batches, before `finish` draws
    files = run(tmp_path, fabric, only_cycle_7)
    assert files.weights.read_bytes() == whole.weights.read_bytes()
    assert files.log.read_bytes() == whole.log.read_bytes()


def test_checkpoints_are_as_far_apart_as_asked_for(
    tmp_path: Path, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    monkeypatch.setattr(checkpoint, "save", lambda model, progress, *_: saved.append(progress.cycle))
    for seconds, cycles in ((0, [1, 2, 3, 4, 5, 6, 7]), (1, [1, 2, 3, 4, 5, 6, 7]), (3, [3, 6]), (100, [])):
        saved.clear()
        schedule = replace(SCHEDULE, checkpoint_seconds=seconds)
        run(tmp_path / str(seconds), fabric, RandomBatches(spec()), "tiny", schedule)
        assert saved == cycles


def test_a_guard_keeps_files_from_being_replaced(tmp_path: Path, fabric: Fabric, whole: Files) -> None:
    calls: list[list[str]] = []

    def guard() -> None:
        calls.append(sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")))
        if len(calls) == taken_over:
            raise BenchmarkError("taken over")

    taken_over = 2
    with pytest.raises(BenchmarkError, match="taken over"):
        train(network(), RandomBatches(spec()), fabric, SCHEDULE, Files(tmp_path, guard), "ours")
    assert calls == [["log.csv"], ["checkpoint.pt", "log.csv"]]
    assert torch.load(Files(tmp_path).checkpoint, weights_only=True)["cycle"] == 3  # not 6
    taken_over = 4
    with pytest.raises(BenchmarkError, match="taken over"):
        train(network(), RandomBatches(spec()), fabric, SCHEDULE, Files(tmp_path, guard), "ours")
    assert torch.load(Files(tmp_path).checkpoint, weights_only=True)["cycle"] == 6
    assert not Files(tmp_path).weights.exists()
    train(network(), RandomBatches(spec()), fabric, SCHEDULE, Files(tmp_path, guard), "ours")
    assert Files(tmp_path).weights.read_bytes() == whole.weights.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.pt", "generator.safetensors", "log.csv"}


def test_another_seed_gives_other_weights(whole: Files, tmp_path: Path, fabric: Fabric) -> None:
    schedule = Schedule(SCHEDULE.images, SCHEDULE.log_every, SCHEDULE.checkpoint_seconds, ("test", 1))
    files = run(tmp_path, fabric, RandomBatches(spec()), schedule=schedule)
    assert files.weights.read_bytes() != whole.weights.read_bytes()


def test_the_log_has_a_row_every_second_cycle_and_at_the_end(whole: Files) -> None:
    with whole.log.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["cycle"], row["images"]) for row in rows] == [("2", "8"), ("4", "16"), ("6", "24"), ("7", "28")]
    assert list(rows[0]) == ["cycle", "images", "discriminator", "generator"]
    assert b"\r" not in whole.log.read_bytes()


def test_the_budget_is_counted_in_images(tmp_path: Path, fabric: Fabric) -> None:
    batches = RandomBatches(spec())
    run(tmp_path, fabric, batches, "tiny", Schedule(9, 1, 100, ("test",)))
    assert batches.drawn == 3  # batches of 4 images


def test_global_state_before_the_training_does_not_matter(whole: Files, tmp_path: Path, fabric: Fabric) -> None:
    model = network()
    torch.manual_seed(12345)
    train(model, RandomBatches(spec()), fabric, SCHEDULE, Files(tmp_path), "ours")
    assert Files(tmp_path).weights.read_bytes() == whole.weights.read_bytes()


@pytest.mark.parametrize("damage", ["empty", "garbage", "truncated", "other model"])
def test_a_damaged_checkpoint_is_named(damage: str, tmp_path: Path, fabric: Fabric) -> None:
    with pytest.raises(InterruptedRun):
        run(tmp_path, fabric, Disturbed(2, control_c), "tiny")
    path = Files(tmp_path).checkpoint
    good = path.read_bytes()
    path.write_bytes({"empty": b"", "garbage": b"garbage" * 100, "truncated": good[:-200]}.get(damage, good))
    with pytest.raises(BenchmarkError, match="is damaged") as error:
        run(tmp_path, fabric, RandomBatches(spec()), "ours" if damage == "other model" else "tiny")
    assert str(path) in str(error.value)
    assert "delete it to train from the beginning" in str(error.value)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_checkpoint_that_does_not_fit_the_memory_is_not_called_damaged(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(type(error)):
        checkpoint.restore(network("tiny"), tmp_path / "checkpoint.pt", torch.device("cpu"))


def test_a_power_cut_finds_the_log_on_the_disk_that_a_checkpoint_counts_on(
    tmp_path: Path, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(str(Path(f"/proc/self/fd/{number}").readlink())))
    run(tmp_path, fabric, RandomBatches(spec()), "tiny", Schedule(12, 1, 2, ("test",)))
    names = [name for path in synced for name in ("log.csv", "checkpoint.pt", "generator") if name in path]
    assert names[-4:] == ["log.csv", "checkpoint.pt", "log.csv", "generator"]


class Broken(Disturbed):
    """From the n-th draw on, the images are not a number."""

    def draw(self) -> Batch:
        batch = super().draw()
        return batch if self.drawn < self.at else Batch(batch.image * torch.nan, batch.identity, batch.view)


def test_a_loss_that_is_not_a_number_ends_the_training(tmp_path: Path, fabric: Fabric) -> None:
    schedule = Schedule(100, 1, 100, ("test",))
    with pytest.raises(DivergedError, match="the loss loss is nan in cycle 3"):
        run(tmp_path, fabric, Broken(3, lambda: None), "tiny", schedule)
    assert not Files(tmp_path).weights.exists()


def test_files_need_no_pickle(tmp_path: Path, fabric: Fabric, whole: Files) -> None:
    from safetensors.torch import load_file

    with pytest.raises(InterruptedRun):
        run(tmp_path, fabric, Disturbed(2, control_c))
    state = torch.load(Files(tmp_path).checkpoint, weights_only=True)
    assert (state["cycle"], state["images"]) == (1, 4)
    assert set(state["optimizers"]) == {"generator", "discriminator"}
    assert all(key.startswith("generator.") for key in load_file(whole.weights))


def test_weights_of_another_model_are_refused(whole: Files, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="does not belong to this model"):
        checkpoint.load_weights(network("vanilla"), whole.weights)
    with pytest.raises(BenchmarkError, match="train the model first"):
        checkpoint.load_weights(network(), tmp_path / "none.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(whole.weights.read_bytes()[:-100])
    with pytest.raises(BenchmarkError, match=r"cut\.safetensors is damaged"):
        checkpoint.load_weights(network(), tmp_path / "cut.safetensors")


def test_the_batch_norm_statistics_are_refreshed(whole: Files) -> None:
    model = network().eval()
    checkpoint.load_weights(model, whole.weights)
    counted = [value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")]
    assert {int(value) for value in counted if value} == {spec().refresh_batches}
    assert model.generate(*arguments(spec())).isfinite().all()


def test_a_signal_that_comes_too_late_for_the_block_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable():
        control_c()


def test_a_closed_terminal_asks_once_and_nothing_where_it_is_ignored() -> None:
    closed: list[bool] = []

    def close() -> None:
        signal.raise_signal(signal.SIGHUP)
        closed.append(True)

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt), stoppable():
            [close() for _ in range(2)]
        assert closed == [True, True]  # neither ended the block
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with stoppable() as stop:
            signal.raise_signal(signal.SIGHUP)
        assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def ask_twice() -> None:
    control_c()
    control_c()
    raise AssertionError("the second signal did nothing")


def test_a_second_signal_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stoppable():
        ask_twice()
    assert signal.getsignal(signal.SIGINT) is before
