"""The stage train with live logs: outside the cell, switched by a setting that changes nothing else."""

import io
import runpy
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmark.data.image_store import open_store
from benchmark.making import generator
from benchmark.run.cells import RECORD, Cell
from benchmark.run.workspace import Run
from benchmark.stages.data import prepare_data
from benchmark.training import live
from tests.stages.conftest import empty_run
from tests.stages.helpers import changed, copy_of_data, do


def live_folder(run: Run) -> Path:
    return run.folder / "tensorboard/tiny/seed0"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run whose one model is trained without live logs, where tensorboard cannot be imported."""
    with empty_run(tmp_path_factory.mktemp("train"), "plain") as run:
        prepare_data(run)
        with pytest.MonkeyPatch.context() as without:
            for name in ("tensorboard", "torch.utils.tensorboard"):
                without.setitem(sys.modules, name, None)
            runpy.run_path(live.__file__)
            do(run, "train", "tiny")
        yield run


@pytest.fixture(scope="module")
def watched(plain: Run) -> Run:
    """The same with live logs."""
    run = changed(copy_of_data(plain, "watched"), training__tensorboard=True, training__samples_every=2)
    do(run, "train", "tiny")
    return run


def record(run: Run) -> Cell:
    return Cell(run.folder / "models/tiny/seed0")


def test_the_cells_are_the_same_but_for_the_costs(plain: Run, watched: Run) -> None:
    folders = [run.folder / "models/tiny/seed0" for run in (plain, watched)]
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    assert names == [["generator.safetensors", "log.csv", RECORD]] * 2
    for name in names[0][:2]:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    costs = ("seconds", "peak_memory")
    plain_record, watched_record = (
        {k: v for k, v in record(r).record.items() if k not in costs} for r in (plain, watched)
    )
    assert plain_record == watched_record
    assert not (plain.folder / "tensorboard").exists()


def test_costs_stand_beside_the_fingerprint(plain: Run) -> None:
    facts = record(plain).record
    assert 0 < facts["seconds"] < 100
    assert 2**20 < facts["peak_memory"] < 2**40
    assert "torch threads: " in facts["device_name"]
    assert not {"seconds", "peak_memory", "device_name", "tensorboard"} & set(facts["fingerprint"])
    assert "tensorboard" not in str(facts["fingerprint"])


def test_the_switch_makes_nothing_again(plain: Run, capsys: pytest.CaptureFixture[str]) -> None:
    do(changed(plain, training__tensorboard=True, training__samples_every=1), "train", "tiny")
    assert "make" not in capsys.readouterr().out
    assert not (plain.folder / "tensorboard").exists()


def test_losses_and_samples_can_be_read(watched: Run) -> None:
    events = EventAccumulator(str(live_folder(watched)), {"images": 0}).Reload()
    assert [event.step for event in events.Scalars("losses/loss")] == [16, 32, 48, 64]
    assert [event.step for event in events.Images("samples")] == [32, 64]


def test_the_inputs_are_of_identities_kept_for_choices(watched: Run) -> None:
    events = EventAccumulator(str(live_folder(watched)), {"images": 0}).Reload()
    grid = np.array(Image.open(io.BytesIO(events.Images("samples")[0].encoded_image_string)))
    shown = {grid[y : y + 32, 2:34].tobytes() for y in range(2, len(grid), 34)}
    store = open_store(watched)
    images = {
        split: {store.images[row].tobytes() for row in rows["row"]} for split, rows in store.manifest.groupby("split")
    }
    assert len(shown) == 4
    assert shown <= images["validation"]
    assert not shown & (images["standard"] | images["auxiliary"])


def test_a_training_run_made_again_leaves_no_old_live_log(watched: Run) -> None:
    copy = replace(changed(watched, training__tensorboard=False, training__images=16), folder=Path("again/runs/plain"))
    shutil.copytree(watched.folder, copy.folder)
    do(copy, "train", "tiny")
    assert not live_folder(copy).exists()
    assert live_folder(watched).exists()


def test_resuming_with_other_threads_is_said(
    plain: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = changed(copy_of_data(plain, "threads"), training__checkpoint_minutes=0.0)
    monkeypatch.setattr(generator, "device_name", lambda device: "a processor, torch threads: 1")
    with monkeypatch.context() as stopped:
        stopped.setattr(generator.loop, "train", lambda *arguments: raise_(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            do(run, "train", "tiny")
    assert "resumed" not in capsys.readouterr().out
    monkeypatch.setattr(generator, "device_name", lambda device: "a processor, torch threads: 2")
    do(run, "train", "tiny")
    assert (
        "models/tiny/seed0: begun on a processor, torch threads: 1, resumed with a processor, torch threads: 2: "
        "not to the byte"
    ) in capsys.readouterr().out


def raise_(error: type[BaseException]) -> None:
    raise error
