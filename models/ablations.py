"""The versions of the full model that Table 2 compares; losses, discriminator and schedule are those of `models.ours`.

Wei Xiong et al. Fine-grained Image-to-Image Transformation towards Visual Recognition. CVPR 2020, section 4.4.

The names carry the side of the connected map at 224 px; `connection_map` gives it at other sizes. Widths are not
rescaled: the paper adds the parts to `vanilla`, and the tables print the parameters that each version has.
"""

from models.layers.generator import Parts
from models.ours import Ours


class Vanilla(Ours):
    """Neither CNC nor AIM: the plain encoder-decoder, which resembles DR-GAN."""

    variant = Parts()


class VanillaDeform(Ours):
    """Vanilla with a deformable convolution in the decoder, on the 28x28 map."""

    variant = Parts(deformable=True)


class GlobalNC56(Ours):
    """Vanilla with Global-NC, attention without a window, on the 56x56 map."""

    variant = Parts(connection="global", map=56)


class CNC56(Ours):
    """Vanilla with CNC on the 56x56 map."""

    variant = Parts(connection="cnc", map=56)


class GlobalNC28(Ours):
    """Vanilla with Global-NC, attention without a window, on the 28x28 map."""

    variant = Parts(connection="global", map=28)


class CNC28(Ours):
    """Vanilla with CNC on the 28x28 map."""

    variant = Parts(connection="cnc", map=28)


class CNC28IM(Ours):
    """Vanilla with CNC on the 28x28 map, and IM: modulation by the whole identity feature (Eq. 3)."""

    variant = Parts(connection="cnc", map=28, modulation="im")
