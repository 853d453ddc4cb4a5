"""ResNet18, by which both measurements judge images: the network, its features, and how it is trained."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchvision.models import resnet18
from torchvision.transforms import v2

from benchmark.data.pixels import to_float
from benchmark.errors import DivergedError
from benchmark.progress import progress

FEATURES = 512  # width of ResNet18's last pooling layer
CHUNK = 8  # images that share one draw of the augmentation

Images = NDArray[np.uint8]
Rows = NDArray[np.int64]


class Convolution(nn.Conv2d):
    """A convolution that leaves out the part of its kernel that meets nothing but padding.

    Where the output is one position, as in the last layers for images of 32 px, a 3x3 kernel on a map of 1x1 is its
    middle, and with stride 2 on a map of 2x2 four of its nine weights: a fifth of ResNet18's operations are spared.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return what `nn.Conv2d` does, to within a rounding."""
        side, padding = x.shape[2], int(self.padding[0])
        if x.shape[2] != x.shape[3] or not padding or side + 2 * padding >= self.kernel_size[0] + self.stride[0]:
            return super().forward(x)
        met = slice(padding, padding + side)
        return F.conv2d(x, self.weight[:, :, met, met], self.bias)


def network(classes: int, stem: str) -> nn.Module:
    """Return an untrained ResNet18.

    Args:
        classes: number of outputs.
        stem: `stock` is torchvision's, `small` a 3x3 stride-1 convolution without max-pool.
    """
    resnet: nn.Module = resnet18(num_classes=classes)
    if stem == "small":
        resnet.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        resnet.maxpool = nn.Identity()
    for module in resnet.modules():
        if type(module) is nn.Conv2d:
            module.__class__ = Convolution  # with the weights that torchvision has drawn
    return resnet


@torch.no_grad()
def pooled_features(resnet: nn.Module, images: Tensor) -> Tensor:
    """Return the output of the last pooling layer, of shape (B, 512), for images of shape (B, 3, S, S) in [-1, 1]."""
    trunk = nn.Sequential(*list(resnet.children())[:-1])
    features: Tensor = trunk(images).flatten(1)
    return features


def augmentation(size: int) -> Callable[[Tensor], Tensor]:
    """Return a function that changes images of shape (B, 3, S, S) in [-1, 1] at random, in groups of CHUNK.

    They are shifted by up to an eighth of their side `size`, and change their colours. They are never flipped: a flip
    changes the view.
    """
    change = v2.Compose(
        [
            v2.RandomCrop(size, padding=size // 8, padding_mode="edge"),
            v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.5, hue=0.5),
            v2.RandomGrayscale(0.2),
        ]
    )

    def augment(images: Tensor) -> Tensor:
        unit = images.add(1.0).div(2.0)  # colour changes are defined on [0, 1]
        return torch.cat([change(part) for part in torch.split(unit, CHUNK)]).mul(2.0).sub(1.0)

    return augment


def fit(
    resnet: nn.Module,
    images: Images,
    batches: Iterable[Rows],
    loss: Callable[[Tensor, Rows], Tensor],
    learning_rate: float,
    schedule: Callable[[Optimizer], LRScheduler],
    augment: bool,
    steps: int,
    title: str,
    setting: str,
) -> None:
    """Train a network by SGD with Nesterov momentum and weight decay; it is in evaluation mode afterwards.

    Args:
        resnet: the network, on its device.
        images: of shape (N, S, S, 3); may be memory-mapped.
        batches: the rows of each batch in `images`, (B,).
        loss: from a batch of images (B, 3, S, S) in [-1, 1], on the network's device, and their rows, to the loss.
        learning_rate: given to the optimiser.
        schedule: makes the schedule of the learning rate, which takes a step after every batch.
        augment: whether images are changed at random.
        steps: number of batches.
        title: title of the progress bar, and what an error calls the network.
        setting: of the learning rate, which an error names.

    Raises:
        DivergedError: the last loss is not finite.
    """
    device = next(resnet.parameters()).device
    optimizer = torch.optim.SGD(resnet.parameters(), learning_rate, 0.9, weight_decay=5e-4, nesterov=True, fused=True)
    scheduler = schedule(optimizer)
    change = augmentation(images.shape[1]) if augment else None
    last = torch.zeros(())
    for rows in progress(batches, desc=title, total=steps, unit="batch"):
        batch = to_float(images[rows])
        last = loss((change(batch) if change else batch).to(device), rows)
        optimizer.zero_grad()
        last.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    if not torch.isfinite(last):
        raise DivergedError(f"{title}: the loss is not finite; lower {setting}")
    resnet.eval()
