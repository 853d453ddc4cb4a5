"""CR-GAN: Learning Complete Representations for Multi-view Generation.

Yu Tian, Xi Peng, Long Zhao, Shaoting Zhang, Dimitris N. Metaxas. IJCAI 2018.

The generator G is trained on two pathways: from random numbers, x_bar = G(v1, z), and by reconstruction, where the
encoder E sees one image of a pair and G has to make the other one, x_tilde = G(v2, E_z(x1)) against x2. D is a
WGAN-GP discriminator that also classifies the view. Identity labels only make the pairs.

Losses, weights, order and rates of the updates are those of the authors' code, github.com/bluer555/CR-GAN. The paper,
whose text was not at hand, is said to weight L1 by 1, to keep G fixed in the reconstruction, and to use Adam at 5e-4
and batches of 10. Corrected here: cross entropy gets logits, not probabilities to which it applies a second softmax;
the penalty takes the norm of every sample's gradient at a point of its own, not one norm of the whole batch's at one
share; in a cycle that reconstructs x_bar, the penalty sits between what D compares, x2 and x_tilde, not x1 and
x_tilde. Left out: biases that batch norm or the difference of scores cancels, and the second stage with unlabelled
images, which the code lacks too.

On faces both images of a pair are of one session, recording and light, as in that code. The budget counts one image of
each pair, x1, though x2 is seen too.

E and D have no normalisation, so with fewer channels the published N(0, 0.02) weights let the signal die: at 32 px and
width 0.14 an input moves E's output 100 times less than at width 1. The standard deviation is 0.02 / sqrt(width)
therefore, which keeps every layer's gain; it stays 0.02 where the number of inputs does not depend on the width. So
`ModelSpec.initialisation`, which does the like for other models, is left aside.
"""

from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from models.interface import Batch, Batches, CycleReport, ModelSpec, ViewModel, one_hot, random_views
from models.layers.plan import plan
from models.layers.refresh import refresh_batch_norm
from models.layers.residual import DownBlock, UpBlock, residual_channels

CODE = 128  # numbers that G gets: N_a of the view code and 128 - N_a of z (9 and 119 in the released code)

Judgement = tuple[Tensor, Tensor]  # scores D_s (B,), logits of D_v (B, N_a)


def discriminator_loss(real: Judgement, fake: Judgement, view: Tensor, penalty: Tensor, weight: float) -> Tensor:
    """Return what D minimises.

    Args:
        real: the judgement on real images.
        fake: the judgement on generated ones, whose views do not count.
        view: views of the real images, of shape (B,).
        penalty: the gradient penalty.
        weight: the penalty's weight.
    """
    return fake[0].mean() - real[0].mean() + weight * penalty + F.cross_entropy(real[1], view)


def generator_loss(fake: Judgement, view: Tensor) -> Tensor:
    """Return what G, and in the reconstruction E, minimises against D; `view` are the target views, of shape (B,)."""
    return F.cross_entropy(fake[1], view) - fake[0].mean()


def reconstruction_loss(made: Tensor, goal: Tensor) -> Tensor:
    """Return L1 between images of shape (B, 3, S, S): the sum over the channels, its mean over pixels and batch."""
    return (made - goal).abs().sum(1).mean()


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Return the mean of (|grad D_s| - 1)^2 at one point for every pair of a real and a generated image.

    Args:
        discriminator: D.
        real: images of shape (B, 3, S, S).
        fake: images of the same shape.
        share: how much of each point is the real image, in [0, 1], of shape (B, 1, 1, 1).
    """
    point = torch.lerp(fake, real, share).requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(point)[0].sum(), point, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return (norms - 1).square().mean()


def initialise(module: nn.Module, width: float) -> None:
    """Draw weights from N(0, 0.02 / sqrt(width)) and batch norm's scales from N(1, 0.02); dense biases are 0.

    The biases of convolutions keep torch's default, as in the released code.
    """
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02 / width**0.5)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


class Trunk(nn.Sequential):
    """The common part of E and D: a convolution and down blocks, (B, 3, S, S) -> (B, features)."""

    def __init__(self, spec: ModelSpec) -> None:
        channels = residual_channels(spec.image_size, spec.width)
        stem = nn.Conv2d(3, channels[0], 3, padding=1)
        super().__init__(stem, *(DownBlock(i, o) for i, o in pairwise(channels)), nn.Flatten())
        self.features = channels[-1] * plan(spec.image_size).smallest ** 2
        self.apply(partial(initialise, width=spec.width))
        initialise(stem, width=1.0)


class Encoder(nn.Module):
    """E without its view estimate."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.trunk = Trunk(spec)
        self.latent = nn.Linear(self.trunk.features, CODE - spec.views)
        initialise(self.latent, spec.width)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return E_z(image), of shape (B, 128 - N_a), and the feature that the view is estimated from."""
        feature = self.trunk(image)
        return self.latent(feature), feature


class Generator(nn.Module):
    """G: a dense layer, up blocks that mirror the trunk, and the convolution to the image."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        channels = residual_channels(spec.image_size, spec.width)[::-1]
        side = plan(spec.image_size).smallest
        self.dense = nn.Sequential(nn.Linear(CODE, channels[0] * side**2), nn.Unflatten(1, (channels[0], side, side)))
        sizes = list(pairwise(channels))
        self.blocks = nn.Sequential(*(UpBlock(i, o, bias=n < len(sizes)) for n, (i, o) in enumerate(sizes, 1)))
        self.image = nn.Sequential(nn.BatchNorm2d(channels[-1]), nn.ReLU(), nn.Conv2d(channels[-1], 3, 3, padding=1))
        self.apply(partial(initialise, width=spec.width))
        initialise(self.dense[0], width=1.0)

    def forward(self, code: Tensor, latent: Tensor) -> Tensor:
        """Return images (B, 3, S, S) in [-1, 1] for view codes (B, N_a) and z of shape (B, 128 - N_a)."""
        return torch.tanh(self.image(self.blocks(self.dense(torch.cat([code, latent], 1)))))


class Discriminator(nn.Module):
    """D: scores and view logits of images. The score has no bias: only differences of scores count."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.trunk = Trunk(spec)
        self.score = nn.Linear(self.trunk.features, 1, bias=False)
        self.view = nn.Linear(self.trunk.features, spec.views)
        for head in (self.score, self.view):
            initialise(head, spec.width)

    def forward(self, image: Tensor) -> Judgement:
        """Return the scores D_s, of shape (B,), and the logits of D_v, of shape (B, N_a)."""
        feature = self.trunk(image)
        return self.score(feature).squeeze(1), self.view(feature)


class CRGAN(ViewModel):
    """CR-GAN: a generation and a reconstruction path, WGAN-GP, pairs of images of one identity."""

    citation = "Tian et al., IJCAI 2018"
    labels = "view; identity only to make pairs"
    updates = "discriminator 2, generator 1.5, encoder 1"
    fitted = True
    training_only = ("discriminator", "estimate")  # D, and E_v(x) of E, which `generate` does not use

    LEARNING_RATE = 1e-4  # this and the numbers below: the authors' code
    BETAS = (0.0, 0.9)
    PENALTY_WEIGHT = 10.0
    L1_WEIGHT = 4.0
    ESTIMATE_WEIGHT = 0.01
    RECONSTRUCT_FAKE = 0.5  # probability that a cycle reconstructs a generated image, and then steps E alone

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.encoder, self.generator, self.discriminator = Encoder(spec), Generator(spec), Discriminator(spec)
        self.estimate = nn.Linear(self.encoder.trunk.features, spec.views)
        initialise(self.estimate, spec.width)

    def setup(self, fabric: Fabric) -> None:
        """Train every network with Adam (1e-4 times the common factor; 0, 0.9)."""
        rate = self.LEARNING_RATE * self.spec.learning_rate_factor
        for name in ("encoder", "estimate", "generator", "discriminator"):
            parameters = getattr(self, name).parameters()
            self.optimise(fabric, name, torch.optim.Adam(parameters, rate, betas=self.BETAS, fused=True))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        """Step D and G on the generation path, then D, E and perhaps G on the reconstruction path; one pair for all."""
        first, second = batches.draw_pairs()
        latent = 2 * torch.rand(len(first.view), CODE - self.spec.views).to(first.view.device) - 1  # uniform in (-1, 1)
        made = self.wrapped["generator"](one_hot(first.view, self.spec.views), latent)  # x_bar
        losses = {
            "discriminator": self._discriminator_step(first, made, fabric),
            "generator": self._generator_step(made, first.view, fabric),
        }
        if torch.rand(()) < self.RECONSTRUCT_FAKE:
            fake = first._replace(image=made.detach())
            self.generator.requires_grad_(False)
            losses |= self._reconstruction_steps(fake, fake, second, fabric, "encoder", "estimate")
            self.generator.requires_grad_(True)
        else:
            losses |= self._reconstruction_steps(first, second, second, fabric, "encoder", "estimate", "generator")
        return CycleReport(losses, len(first.image))

    def _turned(self, image: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_tilde = G(v, E_z(image)), and the feature that the input's view is estimated from."""
        latent, feature = self.wrapped["encoder"](image)
        return self.wrapped["generator"](one_hot(view, self.spec.views), latent), feature

    def _discriminator_step(self, real: Batch, fake: Tensor, fabric: Fabric) -> Tensor:
        discriminator, fake = self.wrapped["discriminator"], fake.detach()
        share = torch.rand(len(fake), 1, 1, 1).to(fake.device)
        # not wrapped, so never in half precision
        penalty = gradient_penalty(self.discriminator, real.image, fake, share)
        loss = discriminator_loss(
            discriminator(real.image), discriminator(fake), real.view, penalty, self.PENALTY_WEIGHT
        )
        self.descend(fabric, loss, "discriminator")
        return loss.detach()

    def _generator_step(self, made: Tensor, view: Tensor, fabric: Fabric) -> Tensor:
        self.discriminator.requires_grad_(False)  # its weights' gradients would be computed for nothing
        loss = generator_loss(self.wrapped["discriminator"](made), view)
        self.descend(fabric, loss, "generator")
        self.discriminator.requires_grad_(True)
        return loss.detach()

    def _reconstruction_steps(
        self, source: Batch, goal: Batch, real: Batch, fabric: Fabric, *trained: str
    ) -> dict[str, Tensor]:
        """Step D, which compares real images with turned ones, then the networks `trained`.

        Args:
            source: what E sees.
            goal: what G has to make of it.
            real: what D is shown as real.
            fabric: gradients go through it.
            trained: names of the networks that learn to reconstruct.
        """
        turned, feature = self._turned(source.image, goal.view)
        discriminator = self._discriminator_step(real, turned, fabric)
        self.discriminator.requires_grad_(False)
        reconstruction = reconstruction_loss(turned, goal.image)
        loss = generator_loss(self.wrapped["discriminator"](turned), goal.view) + self.L1_WEIGHT * reconstruction
        loss += self.ESTIMATE_WEIGHT * F.cross_entropy(self.wrapped["estimate"](feature), source.view)
        self.descend(fabric, loss, *trained)
        self.discriminator.requires_grad_(True)
        return {
            "discriminator_reconstruction": discriminator,
            "encoder": loss.detach(),
            "reconstruction": reconstruction.detach(),
        }

    def finish(self, batches: Batches) -> None:
        """Measure G's batch-norm statistics on the reconstruction path, the only one that `generate` uses."""

        def forward() -> None:
            batch = batches.draw()
            self._turned(batch.image, random_views(len(batch.image), self.spec.views, batch.image.device))

        refresh_batch_norm(self.generator, forward, self.spec.refresh_batches)

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views; the noise is not used. Shapes and ranges as in `ViewModel.generate`."""
        latent, _ = self.encoder(image)
        turned: Tensor = self.generator(view_code, latent)
        return turned
