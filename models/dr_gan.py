"""Disentangled Representation Learning GAN for Pose-Invariant Face Recognition.

Luan Tran, Xi Yin, Xiaoming Liu. CVPR 2017. The version for a single image.

An encoder-decoder generator gets the view code and noise between encoder and decoder; its discriminator classifies the
identity, with one more class for generated images, and the view. There is no reconstruction term.

The authors' released code is a later model (scalar yaw, additive-margin softmax, four images a person). What the paper
leaves open: 50 numbers of noise, uniform in (-1, 1); the first dense layer makes the whole smallest map; views drawn
uniformly. The paper trains discriminator and generator in turn at first and later four generator steps for each
discriminator step: here 1 : 1 for the first fifth of the budget, then 1 : 4. No random crops: every model gets the same
images. `DRGANSigmoid` is the discriminator of the journal version (TPAMI 2018, arXiv:1705.11136).

DR-GAN differs from the vanilla model of Xiong et al. in its schedule, in the weight of the view and in the noise.
`DRGANEven`, `DRGANLambda` and `DRGANNoise128` change one of these each to the other's, so that it can be measured what
it does; none of them is published.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.identity_view_gan import IdentityViewGAN, Logits
from models.interface import NOISE, Batch, ModelSpec
from models.layers.blocks import initialise, pooled
from models.layers.discriminator import Discriminator
from models.layers.generator import Parts


class DRGAN(IdentityViewGAN):
    """DR-GAN for a single image: N_i + 1 classes of identity, 50 numbers of noise, no connection."""

    citation = "Tran et al., CVPR 2017"
    updates = "discriminator 1, generator 1, later 4"
    fitted = True

    NOISE = 50  # of the 128 numbers that every model is given
    EVEN = 0.2  # share of the budget with one generator step for each discriminator step
    LATER = 4  # generator steps after that

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec, Parts(), self.NOISE)

    @property
    def view_weight(self) -> float:
        """1, whatever the settings say of lambda, which belongs to Xiong et al.: all terms of DR-GAN weigh the same."""
        return 1.0

    def generator_steps(self, progress: float) -> int:
        """Return 1 in the first fifth of the budget, then 4."""
        return 1 if progress < self.EVEN else self.LATER


class DRGANEven(DRGAN):
    """DR-GAN with one generator step for each discriminator step from beginning to end (not published)."""

    updates = "discriminator 1, generator 1"

    LATER = 1


class DRGANLambda(DRGAN):
    """DR-GAN with the view weighted by lambda, as in Eq. 6 and 7 of Xiong et al. (not published)."""

    @property
    def view_weight(self) -> float:
        """Lambda of the settings."""
        return self.spec.attribute_weight


class DRGANNoise128(DRGAN):
    """DR-GAN with 128 numbers of noise, as Xiong et al. have them (not published)."""

    NOISE = NOISE


class SigmoidDiscriminator(Discriminator):
    """The discriminator of the journal version: N_i classes of identity, views, and one output for realness."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec, identities=spec.identities)
        self.realness = nn.Linear(self.identity.in_features, 1)
        self.realness.apply(initialise)

    def forward(self, image: Tensor) -> Logits:
        """Return the logits of identity (B, N_i), view (B, N_a) and realness (B, 1)."""
        feature = pooled(self.trunk(image)[-1])
        return self.identity(feature), self.view(feature), self.realness(feature)


def sigmoid_discriminator_loss(real: Logits, fake: Logits, identity: Tensor, view: Tensor) -> Tensor:
    """Return the discriminator's loss of the journal version.

    Args:
        real: logits of identity (B, N_i), view (B, N_a) and realness (B, 1) for real images.
        fake: the same for generated images.
        identity: labels of the real images, of shape (B,).
        view: labels of the real images, of shape (B,).
    """
    realness = F.binary_cross_entropy_with_logits
    return (
        F.cross_entropy(real[0], identity)
        + F.cross_entropy(real[1], view)
        + realness(real[2], torch.ones_like(real[2]))
        + realness(fake[2], torch.zeros_like(fake[2]))
    )


def sigmoid_generator_loss(fake: Logits, identity: Tensor, target: Tensor) -> Tensor:
    """Return the generator's loss of the journal version; the labels are of shape (B,)."""
    return (
        F.cross_entropy(fake[0], identity)
        + F.cross_entropy(fake[1], target)
        + F.binary_cross_entropy_with_logits(fake[2], torch.ones_like(fake[2]))
    )


class DRGANSigmoid(DRGAN):
    """DR-GAN with the discriminator of the journal version: a separate output for real or generated."""

    citation = "Tran et al., TPAMI 2018"

    DISCRIMINATOR = SigmoidDiscriminator

    def discriminator_loss(self, real: Logits, fake: Logits, batch: Batch) -> Tensor:
        """Return what the discriminator minimises."""
        return sigmoid_discriminator_loss(real, fake, batch.identity, batch.view)

    def generator_loss(self, fake: Logits, identity: Tensor, target: Tensor) -> Tensor:
        """Return what the generator minimises."""
        return sigmoid_generator_loss(fake, identity, target)
