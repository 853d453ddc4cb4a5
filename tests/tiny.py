"""A tiny model: one convolution that learns to give its input back."""

import torch
from lightning_fabric import Fabric
from torch import Tensor

from models.interface import Batches, CycleReport, ModelSpec, ViewModel


class Tiny(ViewModel):
    """The least that fulfils the contract."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.network = torch.nn.Conv2d(3, 3, 1)

    def setup(self, fabric: Fabric) -> None:
        self.optimise(fabric, "network", torch.optim.Adam(self.network.parameters(), 0.01))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        batch = batches.draw()
        loss = (torch.tanh(self.wrapped["network"](batch.image)) - batch.image).square().mean()
        self.optimizers["network"].zero_grad()
        fabric.backward(loss)
        self.optimizers["network"].step()
        return CycleReport({"loss": loss.detach()}, len(batch.image))

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        return torch.tanh(self.network(image))
