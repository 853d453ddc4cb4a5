"""Costs of a training run: the parts of an interrupted one add up, and neither settings nor results know of it."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning_fabric import Fabric

from benchmark import environment
from benchmark.environment import device_name
from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.training import costs
from benchmark.training.costs import Costs, Meter
from benchmark.training.loop import Files, train
from tests.tools import RandomBatches, spec
from tests.training.test_loop import SCHEDULE, Disturbed, control_c, network, run

CPU = torch.device("cpu")


def values(monkeypatch: pytest.MonkeyPatch, target: object, name: str, *numbers: float) -> None:
    """Let a function return one number after the other."""
    rest: Iterator[float] = iter(numbers)
    monkeypatch.setattr(target, name, lambda *_: next(rest))


def test_time_adds_up_and_the_most_memory_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    values(monkeypatch, costs.time, "perf_counter", 100.0, 101.5, 103.0, 500.0, 502.0)
    resident = iter([30, 20, 25])
    monkeypatch.setattr(costs.psutil.Process, "memory_info", lambda _: SimpleNamespace(rss=next(resident)))
    meter = Meter(CPU, Costs())
    assert [meter.read(), meter.read()] == [Costs(1.5, 30), Costs(3.0, 30)]
    assert Meter(CPU, Costs(3.0, 30)).read() == Costs(5.0, 30)


def test_resident_memory_sees_what_is_allocated() -> None:
    meter = Meter(CPU, Costs())
    before = meter.read().peak_memory
    with mmap.mmap(-1, 2**26) as fresh:  # an allocator could give memory that is resident already
        for page in range(0, len(fresh), mmap.PAGESIZE):
            fresh[page] = 1
        assert meter.read().peak_memory > before + len(fresh) / 2


def test_a_gpu_counts_from_the_start_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: calls.append("reset"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: calls.append("read") or 7)
    assert Meter(torch.device("cuda"), Costs()).read().peak_memory == 7
    assert calls == ["reset", "read"]


def interrupted(folder: Path, fabric: Fabric, before: dict[str, float] | None) -> None:
    """Leave a checkpoint that says what came before."""
    with pytest.raises(InterruptedRun):
        run(folder, fabric, Disturbed(2, control_c), "tiny")
    state = torch.load(Files(folder).checkpoint, weights_only=True)
    assert state["costs"]["seconds"] > 0
    assert state["costs"]["peak_memory"] > 2**20
    state["costs"] = before
    torch.save({key: value for key, value in state.items() if value is not None}, Files(folder).checkpoint)


def test_a_resumed_training_run_continues_counting(tmp_path: Path, fabric: Fabric) -> None:
    interrupted(tmp_path, fabric, {"seconds": 1000.0, "peak_memory": 2**50})
    done = train(network("tiny"), RandomBatches(spec()), fabric, SCHEDULE, Files(tmp_path), "tiny")
    assert 1000 < done.costs.seconds < 1100
    assert done.costs.peak_memory == 2**50
    assert (done.cycle, done.images) == (7, 28)


def test_a_checkpoint_that_knows_no_costs_is_refused(tmp_path: Path, fabric: Fabric) -> None:
    interrupted(tmp_path, fabric, None)
    with pytest.raises(BenchmarkError, match=r"not of this version .* delete it to train from the beginning"):
        run(tmp_path, fabric, RandomBatches(spec()), "tiny")


def test_the_processor_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor : 0\nmodel name\t: Fast 9000 @ 2 GHz\nprocessor : 1\nmodel name\t: Fast 9000 @ 2 GHz\n"
    )
    monkeypatch.setattr(environment, "CPUINFO", cpuinfo)
    assert device_name(CPU) == f"Fast 9000 @ 2 GHz, torch threads: {torch.get_num_threads()}"
    monkeypatch.setattr(environment, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(environment.platform, "machine", lambda: "riscv64")
    assert device_name(CPU).startswith("riscv64, torch threads: ")
