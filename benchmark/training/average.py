"""A running average of a generator's weights: what is kept in the end, where the settings ask for it.

A generator in adversarial training circles around what it has learned; the mean of its last weights is nearer to the
centre than any of them (Yazici et al., "The Unusual Effectiveness of Averaging in GAN Training", ICLR 2019).
"""

import torch
from torch import Tensor

from models.interface import ViewModel

EARLY = 10  # until the decay is reached, the average is over about the last tenth (1 / EARLY) of the images


class Average:
    """An exponential average of all numbers that a generator keeps, the running statistics of batch norm included.

    Args:
        model: what is trained; the average begins with its present values.
        decay: what is left of the average after a batch of images in the generator's updates, in [0, 1); after c
            batches at most c / (c + 9), so that the initial weights are soon forgotten. A cycle of several generator
            steps counts as so many batches: all models average over the same number of images. 0:
            there is no average.
        batch_size: images in a batch.
    """

    def __init__(self, model: ViewModel, decay: float, batch_size: int) -> None:
        self.decay, self.batch_size = decay, batch_size
        self.values = {name: value.clone() for name, value in self._kept(model).items()} if decay else {}

    def _kept(self, model: ViewModel) -> dict[str, Tensor]:
        """Return the model's own tensors that are averaged."""
        state = model.state_dict()
        return {name: value for name, value in state.items() if model.keeps(name) and value.is_floating_point()}

    @torch.no_grad()
    def update(self, model: ViewModel, new: int, images: int) -> None:
        """Take in the weights after `images` images of the budget, of which the last cycle used `new`."""
        if self.values:
            own = self._kept(model)
            batches = images / self.batch_size
            decay = min(self.decay, batches / (batches + EARLY - 1)) ** (new / self.batch_size)
            torch._foreach_lerp_(list(self.values.values()), [own[name] for name in self.values], 1 - decay)

    def put_into(self, model: ViewModel) -> None:
        """Give the model the averaged values in the place of its last ones."""
        model.load_state_dict(self.values, strict=False)
