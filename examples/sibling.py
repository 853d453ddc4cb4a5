"""Sibling: an autoencoder that learns from pairs of images to draw the same identity in another view."""

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from models.interface import Batches, CycleReport, ModelSpec, ViewModel, one_hot


class Generator(nn.Module):
    """Image and view code -> code of the image -> image."""

    def __init__(self, channels: int, views: int, size: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, channels, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
        )
        self.turn = nn.Linear(32 * channels + views, 32 * channels)
        self.decoder = nn.Sequential(
            nn.Unflatten(1, (2 * channels, 4, 4)),
            nn.Upsample(size // 2),
            nn.Conv2d(2 * channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(size),
            nn.Conv2d(channels, 3, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, image: Tensor, code: Tensor) -> Tensor:
        """Return images (B, 3, S, S) for images and view codes (B, N_a)."""
        latent = torch.cat([self.encoder(image), code], 1)
        drawn: Tensor = self.decoder(F.relu(self.turn(latent)))
        return drawn


class Sibling(ViewModel):
    """L1 distance to another image of the same identity; no discriminator."""

    citation = "an example"
    labels = "view; identity only to make pairs"
    updates = "network 1"

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.generator = Generator(max(4, round(64 * spec.width)), spec.views, spec.image_size)

    def setup(self, fabric: Fabric) -> None:
        """Train with Adam."""
        rate = 2e-4 * self.spec.learning_rate_factor
        self.optimise(fabric, "generator", torch.optim.Adam(self.generator.parameters(), rate))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        """One step on one batch of pairs."""
        first, second = batches.draw_pairs()
        drawn = self.wrapped["generator"](first.image, one_hot(second.view, self.spec.views))
        loss = F.l1_loss(drawn, second.image)
        self.descend(fabric, loss, "generator")
        return CycleReport({"distance": loss.detach()}, images=len(first.image))

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views; shapes and ranges as in `ViewModel.generate`."""
        return self.generator(image, view_code)
