"""The versions of the full model that Table 2 compares; losses, discriminator and schedule are those of `models.ours`.

Wei Xiong et al. Fine-grained Image-to-Image Transformation towards Visual Recognition. CVPR 2020, section 4.4.
"""

from models.layers.generator import Parts
from models.ours import Ours


class Vanilla(Ours):
    """Neither CNC nor AIM: the plain encoder-decoder, which resembles DR-GAN."""

    parts = Parts()
