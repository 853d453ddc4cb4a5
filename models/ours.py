"""Fine-grained Image-to-Image Transformation towards Visual Recognition.

Wei Xiong, Yutong He, Yixuan Zhang, Wenhan Luo, Lin Ma, Jiebo Luo. CVPR 2020. arXiv:2001.03856.

An encoder turns the image into an identity feature f_id; a decoder turns f_id, noise and the view code into the image
of the wanted view. A constrained nonalignment connection (CNC) carries details from the encoder to the decoder,
adaptive identity modulation (AIM) feeds f_id to every layer of the decoder. The discriminator classifies identity (with
one more class for generated images) and view.

No official code exists. What the paper leaves open is filled so: convolution blocks are DR-GAN's; one CNC, on the 28x28
map of 224 px, with C_h = C_X / 2 and windows cut at the border; AIM replaces every batch norm of the decoder; target
views are uniform and independent of the source view; Adam's betas are DR-GAN's (0.5, 0.999), as is the N(0, 0.02)
initialisation; batch-norm statistics are measured anew after training.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor

from models.interface import Batch, Batches, CycleReport, ModelSpec, ViewModel, one_hot, random_noise, random_views
from models.layers.critic import Critic
from models.layers.generator import Generator, Parts
from models.layers.refresh import refresh_batch_norm


def critic_loss(
    real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor], identity: Tensor, view: Tensor, weight: float
) -> Tensor:
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


def generator_loss(fake: tuple[Tensor, Tensor], identity: Tensor, target: Tensor, weight: float) -> Tensor:
    """Return the negated Eq. 7: `identity` is the label of the input image, `target` the wanted view y_t, both (B,)."""
    return F.cross_entropy(fake[0], identity) + weight * F.cross_entropy(fake[1], target)


class Ours(ViewModel):
    """The full model: CNC on the 28x28 map, and AIM."""

    parts: ClassVar[Parts] = Parts(connection="cnc", map=28, modulation="aim")
    critics = ("critic",)

    LEARNING_RATE = 2e-4  # paper, section 4.1

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.generator = Generator(spec, self.parts)
        self.critic = Critic(spec)

    @property
    def map(self) -> str:
        """Side of the feature map that the connection sits on, `-` if there is none."""
        return str(self.parts.side(self.spec.image_size) or "-")

    def setup(self, fabric: Fabric) -> None:
        """Train both networks with Adam (2e-4 times the common factor; 0.5, 0.999)."""
        rate = self.LEARNING_RATE * self.spec.learning_rate_factor
        for name in ("generator", "critic"):
            parameters = getattr(self, name).parameters()
            self.optimise(fabric, name, torch.optim.Adam(parameters, rate, betas=(0.5, 0.999), fused=True))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        """One critic step, then `generator_steps` generator steps, each on a fresh batch."""
        losses = {"critic": self._critic_step(batches.draw(), fabric)}
        images = 0
        for _ in range(self.spec.generator_steps):
            batch = batches.draw()
            losses["generator"] = self._generator_step(batch, fabric)
            images += len(batch.image)
        return CycleReport(losses, images)

    def _turned(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the batch turned to random views, and these views."""
        target = random_views(len(batch.image), self.spec.views, batch.image.device)
        noise = random_noise(len(batch.image), batch.image.device)
        return self.wrapped["generator"](batch.image, one_hot(target, self.spec.views), noise), target

    def _critic_step(self, batch: Batch, fabric: Fabric) -> Tensor:
        critic = self.wrapped["critic"]
        with torch.no_grad():
            fake, _ = self._turned(batch)
        real = critic(batch.image)
        loss = critic_loss(real, critic(fake), batch.identity, batch.view, self.spec.attribute_weight)
        self._step("critic", loss, fabric)
        return loss.detach()

    def _generator_step(self, batch: Batch, fabric: Fabric) -> Tensor:
        self.critic.requires_grad_(False)  # its weights' gradients would be computed for nothing
        fake, target = self._turned(batch)
        loss = generator_loss(self.wrapped["critic"](fake), batch.identity, target, self.spec.attribute_weight)
        self._step("generator", loss, fabric)
        self.critic.requires_grad_(True)
        return loss.detach()

    def _step(self, name: str, loss: Tensor, fabric: Fabric) -> None:
        self.optimizers[name].zero_grad()
        fabric.backward(loss)
        self.optimizers[name].step()

    def finish(self, batches: Batches) -> None:
        """Measure the generator's batch-norm statistics over batches turned to uniformly drawn views."""
        refresh_batch_norm(self.generator, lambda: self._turned(batches.draw()), self.spec.refresh_batches)

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the wanted views; shapes and ranges as in `ViewModel.generate`."""
        turned: Tensor = self.generator(image, view_code, noise)
        return turned
