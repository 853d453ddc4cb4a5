"""Batches of real training images."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.pixels import to_float
from models.interface import Batch

RESIDENT = 0.25  # share of a GPU's free memory that the training images may take
PART = 1024  # images that are read at once to be copied


def fits(size: int, device: torch.device) -> bool:
    """Return whether `size` bytes of images are kept on the device: on a GPU, if they take little of what is free."""
    return device.type == "cuda" and size <= RESIDENT * torch.cuda.mem_get_info(device)[0]


class AuxiliaryBatches:
    """Endless batches drawn uniformly, with replacement, from torch's global generator on the CPU.

    Pixels go to the device as bytes, and become numbers there. If all training images fit into its memory, they are
    copied once; the same images are drawn with and without that.

    Args:
        images: all images of the store, of shape (N, S, S, 3), uint8; may be memory-mapped.
        rows: indices of the training images in `images`.
        identity: identity labels of the training images, of shape (len(rows),).
        view: view labels of the training images, of shape (len(rows),).
        batch_size: images in a batch.
        device: where the batches go.
        capture: what the images of a pair have in common where they can, as numbers of shape (len(rows),); by default
            it is the same for all.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        rows: NDArray[np.int64],
        identity: NDArray[np.int64],
        view: NDArray[np.int64],
        batch_size: int,
        device: torch.device,
        capture: NDArray[np.int64] | None = None,
    ) -> None:
        self.images, self.rows, self.batch_size, self.device = images, rows, batch_size, device
        self.identity, self.view = torch.tensor(identity), torch.tensor(view)  # copies: pandas' arrays are read-only
        self.capture = torch.zeros_like(self.identity) if capture is None else torch.tensor(capture)
        self.members = torch.split(torch.argsort(self.identity, stable=True), torch.bincount(self.identity).tolist())
        self.resident: Tensor | None = None  # the training images (N, S, S, 3) on the device
        if fits(len(rows) * images[0].nbytes, device):
            self.resident = torch.empty((len(rows), *images.shape[1:]), dtype=torch.uint8, device=device)
            for start in range(0, len(rows), PART):
                self.resident[start : start + PART] = torch.from_numpy(images[rows[start : start + PART]])

    def draw(self) -> Batch:
        """Return a fresh batch."""
        return self._batch(torch.randint(len(self.rows), (self.batch_size,)))

    def draw_pairs(self) -> tuple[Batch, Batch]:
        """Return a fresh batch, and for each image another of its identity.

        The other is of the same capture (session, light) where there is one, and of these of another view where there
        is one.
        """
        chosen = torch.randint(len(self.rows), (self.batch_size,))
        partners = torch.stack([self._partner(int(row)) for row in chosen])
        return self._batch(chosen), self._batch(partners)

    def _partner(self, row: int) -> Tensor:
        """Return the place of another image of the identity: of another view, or of the same, or the image itself."""
        own = self.members[int(self.identity[row])]
        alike = own[self.capture[own] == self.capture[row]]
        own = alike if len(alike) > 1 else own
        others = own[self.view[own] != self.view[row]]
        if len(others):
            views = torch.unique(self.view[others])
            others = others[self.view[others] == views[int(torch.randint(len(views), ()))]]
        else:
            others = own[own != row] if len(own) > 1 else own
        return others[int(torch.randint(len(others), ()))]

    def _batch(self, chosen: Tensor) -> Batch:
        labels = (part[chosen].to(self.device) for part in (self.identity, self.view))
        if self.resident is not None:
            pixels = self.resident[chosen.to(self.device)]
        else:
            pixels = torch.from_numpy(self.images[self.rows[chosen.numpy()]]).to(self.device)
        return Batch(to_float(pixels), *labels)
