"""Material for the checks: a small specification, batches of noise, and arguments for `generate`."""

import torch
from torch import Tensor

from models.interface import NOISE, Batch, ModelSpec, one_hot


def spec(**changes: float) -> ModelSpec:
    """Return the smallest settings that every model can be built for."""
    small = {"image_size": 32, "views": 5, "identities": 7, "width": 0.125, "batch_size": 4, "refresh_batches": 3}
    return ModelSpec(**{**small, "images": 64, **changes})  # type: ignore[arg-type]


class RandomBatches:
    """Batches whose images are noise around a grey that depends on the labels.

    Attributes:
        drawn: number of draws so far.
        images: number of images handed out so far; a pair is two.
    """

    def __init__(self, of: ModelSpec) -> None:
        self.spec, self.drawn, self.images = of, 0, 0

    def draw(self) -> Batch:
        """Return a fresh batch."""
        self.drawn += 1
        count = self.spec.batch_size
        identity, view = torch.randint(self.spec.identities, (count,)), torch.randint(self.spec.views, (count,))
        return self._batch(identity, view)

    def draw_pairs(self) -> tuple[Batch, Batch]:
        """Return a fresh batch, and for each of its images one of the same identity and the next view."""
        first = self.draw()
        return first, self._batch(first.identity, (first.view + 1) % self.spec.views)

    def _batch(self, identity: Tensor, view: Tensor) -> Batch:
        self.images += len(view)
        size = self.spec.image_size
        grey = (identity / self.spec.identities + view / self.spec.views - 1)[:, None, None, None]
        return Batch((grey + 0.3 * torch.randn(len(view), 3, size, size)).clamp(-1, 1), identity, view)


def arguments(of: ModelSpec, count: int = 4, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return images (count, 3, S, S), one-hot view codes (count, N_a) and noise (count, 128) for `generate`."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(count, 3, of.image_size, of.image_size, generator=random) * 2 - 1
    view = torch.randint(of.views, (count,), generator=random)
    return image, one_hot(view, of.views), torch.randn(count, NOISE, generator=random)
