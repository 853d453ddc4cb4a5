"""Adversarial training against a discriminator that classifies identity and view.

DR-GAN (Tran et al., CVPR 2017) introduced it: the classes of the identity are the N_i real ones and one more for
generated images. Xiong et al. (CVPR 2020, Eq. 6 and 7) take it over and weight the view by lambda.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from models.interface import (
    NOISE,
    Batch,
    Batches,
    CycleReport,
    ModelSpec,
    ViewModel,
    WarmStart,
    one_hot,
    random_noise,
    random_views,
)
from models.layers.blocks import scale_to_fan_in
from models.layers.connection import NonalignmentConnection
from models.layers.discriminator import Discriminator
from models.layers.generator import Generator, Parts
from models.layers.refresh import refresh_batch_norm

Logits = tuple[Tensor, ...]  # of D^i (B, N_i + 1) and of D^a (B, N_a)


def discriminator_loss(real: Logits, fake: Logits, identity: Tensor, view: Tensor, weight: float) -> Tensor:
    """Return the negated Eq. 6.

    Args:
        real: logits of D^i (B, N_i + 1) and D^a (B, N_a) for real images.
        fake: the same for generated images.
        identity: labels y_i of the real images, of shape (B,).
        view: labels y_a of the real images, of shape (B,).
        weight: lambda.
    """
    generated = torch.full_like(identity, real[0].shape[1] - 1)  # class N_i + 1, counted from 0
    return (
        F.cross_entropy(real[0], identity)
        + F.cross_entropy(fake[0], generated)
        + weight * F.cross_entropy(real[1], view)
    )


def generator_loss(fake: Logits, identity: Tensor, target: Tensor, weight: float) -> Tensor:
    """Return the negated Eq. 7: `identity` is the label of the input image, `target` the target view y_t, both (B,)."""
    return F.cross_entropy(fake[0], identity) + weight * F.cross_entropy(fake[1], target)


class IdentityViewGAN(ViewModel):
    """A generator with exchangeable parts, its discriminator and their training; the base of several models."""

    training_only = ("discriminator",)
    warm_start = WarmStart("discriminator")
    labels = "identity, view"

    LEARNING_RATE = 2e-4
    DISCRIMINATOR: ClassVar[type[nn.Module]] = Discriminator

    def __init__(self, spec: ModelSpec, parts: Parts, noise: int = NOISE) -> None:
        super().__init__(spec)
        self.parts = parts
        self.generator = Generator(spec, parts, noise)
        if spec.initialisation == "fan_in":
            scale_to_fan_in(self.generator)
        self.discriminator = self.warm_start_network(spec)

    @classmethod
    def warm_start_network(cls, spec: ModelSpec) -> nn.Module:
        """Return the discriminator with the weights it has before training."""
        discriminator = cls.DISCRIMINATOR(spec)
        if spec.initialisation == "fan_in":
            scale_to_fan_in(discriminator)
        return discriminator

    @property
    def map(self) -> str:
        """Side of the feature map that the connection sits on, `all` for skips at every level, `-` for none."""
        if self.parts.connection == "skip":
            return "all"
        return str(self.parts.side(self.spec.image_size) or "-")

    @property
    def view_weight(self) -> float:
        """Lambda, the weight of the view in both losses."""
        return self.spec.attribute_weight

    def generator_steps(self, progress: float) -> int:
        """Return the number of generator steps for one step of the discriminator, at this share of the budget."""
        return self.spec.generator_steps

    def discriminator_loss(self, real: Logits, fake: Logits, batch: Batch) -> Tensor:
        """Return what the discriminator minimises."""
        return discriminator_loss(real, fake, batch.identity, batch.view, self.view_weight)

    def generator_loss(self, fake: Logits, identity: Tensor, target: Tensor) -> Tensor:
        """Return what the generator minimises."""
        return generator_loss(fake, identity, target, self.view_weight)

    def setup(self, fabric: Fabric) -> None:
        """Train both networks with Adam (2e-4 times the common factor; 0.5, 0.999)."""
        rate = self.LEARNING_RATE * self.spec.learning_rate_factor
        for name in ("generator", "discriminator"):
            parameters = getattr(self, name).parameters()
            self.optimise(fabric, name, torch.optim.Adam(parameters, rate, betas=(0.5, 0.999), fused=True))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        """One step of the discriminator, then the generator's, each on a fresh batch."""
        losses = {"discriminator": self._discriminator_step(batches.draw(), fabric)}
        images = 0
        for _ in range(self.generator_steps(progress)):
            batch = batches.draw()
            losses["generator"] = self._generator_step(batch, fabric)
            images += len(batch.image)
        return CycleReport(losses, images)

    def _turned(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the batch turned to random views, and these views."""
        target = random_views(len(batch.image), self.spec.views, batch.image.device)
        noise = random_noise(len(batch.image), batch.image.device)
        return self.wrapped["generator"](batch.image, one_hot(target, self.spec.views), noise), target

    def _discriminator_step(self, batch: Batch, fabric: Fabric) -> Tensor:
        discriminator = self.wrapped["discriminator"]
        with torch.no_grad():
            fake, _ = self._turned(batch)
        loss = self.discriminator_loss(discriminator(batch.image), discriminator(fake), batch)
        self.descend(fabric, loss, "discriminator")
        return loss.detach()

    def _generator_step(self, batch: Batch, fabric: Fabric) -> Tensor:
        self.discriminator.requires_grad_(False)  # its weights' gradients would be computed for nothing
        fake, target = self._turned(batch)
        loss = self.generator_loss(self.wrapped["discriminator"](fake), batch.identity, target)
        self.descend(fabric, loss, "generator")
        self.discriminator.requires_grad_(True)
        return loss.detach()

    def finish(self, batches: Batches) -> None:
        """Measure the generator's batch-norm statistics over batches turned to uniformly drawn views."""
        refresh_batch_norm(self.generator, lambda: self._turned(batches.draw()), self.spec.refresh_batches)

    def diagnose(self, image: Tensor, view_code: Tensor, noise: Tensor) -> dict[str, float]:
        """Return the share of the output that hangs on each path, and how CNC's or Global-NC's attention is spread."""
        seen: list[tuple[Tensor, Tensor]] = []
        attending = [module for module in self.generator.modules() if isinstance(module, NonalignmentConnection)]
        hooks = [module.register_forward_pre_hook(lambda _, maps: seen.append(maps)) for module in attending]
        self.generator(image, view_code, noise)
        for hook in hooks:
            hook.remove()
        spread = [module.describe(*maps) for module, maps in zip(attending, seen, strict=True)]
        return {**self.generator.path_shares(image, view_code, noise), **(spread[0] if spread else {})}

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views; shapes and ranges as in `ViewModel.generate`."""
        turned: Tensor = self.generator(image, view_code, noise)
        return turned
