"""Fine-grained Image-to-Image Transformation towards Visual Recognition.

Wei Xiong, Yutong He, Yixuan Zhang, Wenhan Luo, Lin Ma, Jiebo Luo. CVPR 2020. arXiv:2001.03856.

An encoder turns the image into an identity feature f_id; a decoder turns f_id, noise and the view code into the image
of the target view. A constrained nonalignment connection (CNC) carries details from the encoder to the decoder,
adaptive identity modulation (AIM) feeds f_id to every layer of the decoder. The discriminator classifies identity (with
one more class for generated images) and view.

No official code exists. What the paper leaves open is filled so: convolution blocks are DR-GAN's; one CNC, on the 28x28
map of 224 px, with C_h = C_X / 2 and windows cut at the border; AIM replaces every batch norm of the decoder; target
views are uniform and independent of the source view; Adam's betas are DR-GAN's (0.5, 0.999), as is the N(0, 0.02)
initialisation; batch-norm statistics are measured again after training.
"""

from typing import ClassVar

from models.identity_view_gan import IdentityViewGAN
from models.interface import ModelSpec
from models.layers.generator import Parts


class Ours(IdentityViewGAN):
    """The full model: CNC on the 28x28 map, and AIM."""

    citation = "Xiong et al., CVPR 2020"
    updates = "discriminator 1, generator 1 (faces 4)"

    variant: ClassVar[Parts] = Parts(connection="cnc", map=28, modulation="aim")

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec, self.variant)
