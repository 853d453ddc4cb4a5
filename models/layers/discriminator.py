"""The discriminator with an identity and a view head (paper, section 3.2)."""

from torch import Tensor, nn

from models.interface import ModelSpec
from models.layers.blocks import Encoder, initialise, pooled
from models.layers.plan import plan


class Discriminator(nn.Module):
    """D: convolution blocks, then the layers D^i with N_i + 1 and D^a with N_a outputs.

    The paper says no more of the blocks; they are DR-GAN's, whose likeness it states for the vanilla model.

    Args:
        spec: what the model is built for.
        identities: outputs of D^i; default: N_i + 1.
    """

    def __init__(self, spec: ModelSpec, identities: int | None = None) -> None:
        super().__init__()
        shape = plan(spec.image_size, spec.discriminator_width or spec.width)
        self.trunk = Encoder(shape)
        self.identity = nn.Linear(shape.features, identities or spec.identities + 1)
        self.view = nn.Linear(shape.features, spec.views)
        self.apply(initialise)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of D^i, of shape (B, N_i + 1), and of D^a, of shape (B, N_a)."""
        feature = pooled(self.trunk(image)[-1])
        return self.identity(feature), self.view(feature)
