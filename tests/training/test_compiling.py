"""Compiled networks: the same training, under the same names, and one sentence where there is no compiler."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor, fx

from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.training import compiling
from benchmark.training.compiling import CompilingFabric, compilable
from benchmark.training.loop import Files, train
from models.interface import Batches, ViewModel
from tests.tiny import Tiny
from tests.tools import RandomBatches, spec
from tests.training.test_loop import SCHEDULE, Disturbed, control_c, network, run

Compiled = Callable[..., Any]


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[fx.GraphModule]:
    """Everything compiled so far, by a compiler that takes no time: it calls what it is given."""
    found: list[fx.GraphModule] = []

    def compiler(graph: fx.GraphModule, inputs: list[Tensor]) -> Compiled:
        found.append(graph)
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", compiler)
    torch._dynamo.reset()
    return found


@pytest.fixture
def compiled() -> Fabric:
    return CompilingFabric(accelerator="cpu", devices=1)


def cycled(name: str, fabric: Fabric) -> ViewModel:
    """Return a model after one cycle."""
    model = network(name)
    model.setup(fabric)
    torch.manual_seed(0)
    model.cycle(RandomBatches(spec()), fabric, 0.5)
    return model


def test_a_cycle_is_the_same(graphs: list[fx.GraphModule], compiled: Fabric, fabric: Fabric) -> None:
    plain, model = cycled("cr_gan", fabric).state_dict(), cycled("cr_gan", compiled)  # it has a second derivative
    assert len(graphs) >= len(model.wrapped)
    assert model.state_dict().keys() == plain.keys()
    torch.testing.assert_close(model.state_dict(), plain, rtol=1e-4, atol=1e-5)


def test_an_interrupted_training_ends_as_any_other(
    graphs: list[fx.GraphModule], compiled: Fabric, fabric: Fabric, tmp_path: Path
) -> None:
    whole = run(tmp_path / "whole", fabric, RandomBatches(spec()), "tiny")
    assert not graphs
    with pytest.raises(InterruptedRun):
        run(tmp_path / "again", compiled, Disturbed(3, control_c), "tiny")
    again = run(tmp_path / "again", compiled, RandomBatches(spec()), "tiny")
    assert graphs
    weights, expected = load_file(again.weights), load_file(whole.weights)
    assert weights.keys() == expected.keys()
    torch.testing.assert_close(weights, expected)


class Finishing(Tiny):
    """It looks at images of another size once."""

    def finish(self, batches: Batches) -> None:
        self.wrapped["network"](batches.draw().image[:, :, :5])


def test_what_comes_once_after_the_training_is_not_compiled(
    graphs: list[fx.GraphModule], compiled: Fabric, tmp_path: Path
) -> None:
    train(Finishing(spec()), RandomBatches(spec()), compiled, SCHEDULE, Files(tmp_path), "tiny")
    assert len(graphs) == 1


def test_without_a_compiler_there_is_one_sentence(compiled: Fabric, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(graph: fx.GraphModule, inputs: list[Tensor]) -> Compiled:
        raise RuntimeError("No working C++ compiler found\nin many lines")

    monkeypatch.setattr(compiling, "BACKEND", missing)
    torch._dynamo.reset()
    said = r"cannot be compiled here \(.*No working C\+\+ compiler found in many lines\); install a C\+\+ compiler, or"
    with pytest.raises(BenchmarkError, match=said), compilable():
        cycled("tiny", compiled)
