"""The EMA of the weights: what it is, that it is kept, and that an interruption does not change it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor

from benchmark.errors import InterruptedRun
from benchmark.training.average import Average
from benchmark.training.loop import Files, train
from models.interface import Batch
from tests.tools import RandomBatches, spec
from tests.training.test_loop import SCHEDULE, Disturbed, control_c, network, run

AVERAGED = replace(SCHEDULE, average=0.6)


def history(decay: float, folder: Path, fabric: Fabric) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
    """Return the weights before every draw of a training run, and those that it has kept."""
    model, seen = network("tiny"), []

    class Watched(RandomBatches):
        def draw(self) -> Batch:
            seen.append({name: value.clone() for name, value in model.state_dict().items()})
            return super().draw()

    train(model, Watched(spec()), fabric, replace(SCHEDULE, average=decay), Files(folder), "tiny")
    return seen, load_file(Files(folder).weights)


def test_it_is_the_weighted_mean_of_the_weights_after_every_cycle(tmp_path: Path, fabric: Fabric) -> None:
    (tmp_path / "last").mkdir()
    (tmp_path / "average").mkdir()
    seen, last = history(0.0, tmp_path / "last", fabric)
    _, kept = history(0.6, tmp_path / "average", fabric)
    expected = seen[0]
    for cycle, after in enumerate([*seen[1:], last], 1):
        decay = min(0.6, cycle / (cycle + 9))
        expected = {name: decay * expected[name] + (1 - decay) * after[name] for name in expected}
    for name, value in kept.items():
        torch.testing.assert_close(value, expected[name])
        assert not torch.allclose(value, last[name])


def test_a_cycle_of_several_generator_steps_counts_as_so_many_batches() -> None:
    """Four steps whose weights are those of the cycle's end, one by one or in one cycle."""
    model = network()
    one_by_one, at_once = Average(model, 0.6, 4), Average(model, 0.6, 4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    for images in range(404, 420, 4):
        one_by_one.update(model, 4, images)
    at_once.update(model, 16, 416)
    for name, value in at_once.values.items():
        torch.testing.assert_close(value, one_by_one.values[name])


@pytest.mark.parametrize("draw", [1, 6, 9])
def test_an_interruption_changes_nothing(draw: int, tmp_path: Path, fabric: Fabric) -> None:
    whole = run(tmp_path / "whole", fabric, RandomBatches(spec()), schedule=AVERAGED)
    parts = tmp_path / "parts"
    with pytest.raises(InterruptedRun):
        run(parts, fabric, Disturbed(draw, control_c), schedule=AVERAGED)
    run(parts, fabric, RandomBatches(spec()), schedule=AVERAGED)
    assert Files(parts).weights.read_bytes() == whole.weights.read_bytes()


def test_it_changes_what_is_kept_and_nothing_else(tmp_path: Path, fabric: Fabric) -> None:
    plain = run(tmp_path / "plain", fabric, RandomBatches(spec()))
    averaged = run(tmp_path / "averaged", fabric, RandomBatches(spec()), schedule=AVERAGED)
    assert averaged.log.read_bytes() == plain.log.read_bytes()
    assert averaged.weights.read_bytes() != plain.weights.read_bytes()


def test_it_holds_what_the_generator_keeps_with_running_statistics() -> None:
    model = network()
    values = Average(model, 0.9, 4).values
    kept = {name: value for name, value in model.state_dict().items() if name.startswith("generator.")}
    assert set(values) == {name for name, value in kept.items() if value.is_floating_point()}
    assert any(name.endswith("running_var") for name in values)
    assert not Average(model, 0.0, 4).values
