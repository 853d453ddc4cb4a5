"""The U-net that the paper compares with its connection (Fig. 8).

Wei Xiong et al. Fine-grained Image-to-Image Transformation towards Visual Recognition. CVPR 2020, section 4.4, after
Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015.

CNC is taken out; instead the output of every block of the encoder, full resolution included, is concatenated to that of
the mirrored block of the decoder. Everything else is the full model: discriminator, losses, schedule, and AIM, since
the paper says that the other settings are unchanged; only the generator is narrower, so that it has no more parameters.
`unet_noaim` leaves AIM out.
"""

from models.layers.generator import Parts
from models.ours import Ours


class Unet(Ours):
    """Encoder and decoder joined by skip connections at every level, with AIM."""

    fitted = True
    variant = Parts(connection="skip", modulation="aim")


class UnetNoAIM(Unet):
    """The U-net with plain batch norm instead of AIM."""

    variant = Parts(connection="skip")
