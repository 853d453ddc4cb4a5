"""Mixed precision: statistics, losses and weights stay in single precision."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from models.registry import entries
from tests.tools import RandomBatches, spec
from tests.training.test_loop import network

Norm = nn.modules.batchnorm._BatchNorm


class Statistics:
    """The running statistics of a batch norm, from its inputs as they come, and the types of these."""

    def __init__(self, norm: Norm) -> None:
        self.norm, self.types = norm, set[torch.dtype]()
        self.mean, self.var = torch.zeros(norm.num_features), torch.ones(norm.num_features)
        norm.register_forward_hook(self.update)

    def update(self, norm: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if norm.training:
            self.types.add(inputs[0].dtype)
            channels = inputs[0].detach().float().transpose(0, 1).flatten(1)
            self.mean, self.var = self.mean.lerp(channels.mean(1), 0.1), self.var.lerp(channels.var(1), 0.1)

    def check(self) -> None:
        torch.testing.assert_close(self.norm.running_mean, self.mean, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(self.norm.running_var, self.var, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", entries())
def test_what_stays_in_single_precision(name: str) -> None:
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    model = network(name)
    model.setup(fabric)
    model.train()
    found = [Statistics(module) for module in model.modules() if isinstance(module, Norm)]
    report = model.cycle(RandomBatches(spec()), fabric, 0.5)
    assert torch.bfloat16 in {kind for statistics in found for kind in statistics.types}
    for statistics in found:
        statistics.check()
    assert {loss.dtype for loss in report.losses.values()} == {torch.float32}
    assert all(loss.isfinite() for loss in report.losses.values())
    assert {value.dtype for value in model.state_dict().values()} <= {torch.float32, torch.int64}
