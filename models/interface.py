"""The contract between a generator and the harness."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

NOISE = 128  # size of the noise vector (paper, section 4.1)


@dataclass(frozen=True)
class ModelSpec:
    """The specification that a model is built for.

    Args:
        image_size: side S of the square images, in pixels.
        views: number N_a of views.
        identities: number N_i of identities in the training data.
        width: multiplies the published numbers of channels.
        discriminator_width: the same for the discriminator that ours, its ablations, DR-GAN and the U-net share, which
            stays the same for all of them when a generator's width is fitted; default: `width`.
        batch_size: images in one batch B.
        images: the budget, in real images used by generator-side updates.
        learning_rate_factor: multiplies the published learning rates; 1 is the paper's.
        generator_steps: generator steps for each discriminator step.
        attribute_weight: lambda of Eq. 6 and 7, the weight of the view loss.
        refresh_batches: batches over which the batch-norm statistics are measured after training.
        noise: factor on the noise that a generator concatenates to the identity feature; 1 is the papers'.
        initialisation: `published`, or `fan_in`: convolutions start with weights from N(0, 1 / sqrt(fan-in)), whatever
            their number of channels.
    """

    image_size: int
    views: int
    identities: int
    width: float = 1.0
    batch_size: int = 64
    images: int = 6_400_000
    learning_rate_factor: float = 1.0
    generator_steps: int = 1
    attribute_weight: float = 5.0
    refresh_batches: int = 100
    discriminator_width: float | None = None
    initialisation: str = "published"
    noise: float = 1.0


class Batch(NamedTuple):
    """Real images with their labels.

    Attributes:
        image: images of shape (B, 3, S, S), in [-1, 1].
        identity: integer labels of shape (B,), 0 .. N_i - 1.
        view: integer labels of shape (B,), 0 .. N_a - 1.
    """

    image: Tensor
    identity: Tensor
    view: Tensor


class Batches(Protocol):
    """An endless source of training batches."""

    def draw(self) -> Batch:
        """Return a fresh batch, drawn uniformly from the training images."""
        ...

    def draw_pairs(self) -> tuple[Batch, Batch]:
        """Return a fresh batch, and for each of its images another one of the same identity.

        The second image shows another view where the identity has one, drawn uniformly; otherwise it is another image
        of the same view, or the same image if there is no other.
        """
        ...


@dataclass(frozen=True)
class WarmStart:
    """Training of a network on real images before the first cycle, once for each training seed.

    Attributes:
        network: attribute of the model that holds it.
        epochs: passes over the training images, at most, that the method itself has; 0 if it has none: then there is a
            warm start only where the settings ask for it.
        learning_rate: of Adam, to be multiplied by the common factor.
        betas: of Adam.
    """

    network: str
    epochs: int = 0
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)


@dataclass(frozen=True)
class CycleReport:
    """The report of one training cycle.

    Attributes:
        losses: named losses, each a detached tensor of one element.
        images: number of real images that generator-side updates used; this is what the budget counts.
    """

    losses: Mapping[str, Tensor]
    images: int


class ViewModel(nn.Module):
    """A generator that turns an image to a target view, with all it needs for its training.

    A subclass builds its networks in `__init__`, announces each network and its optimiser in `setup`, and does one
    cycle of its published schedule in `cycle`. All randomness comes from torch's global generators: the harness seeds
    them at the start of every cycle, which makes each cycle repeatable.
    """

    citation: ClassVar[str] = ""  # where the method is published; these three are read without importing the file,
    labels: ClassVar[str] = ""  # which labels training uses             # so they must be plain strings
    updates: ClassVar[str] = ""  # steps of each network in one cycle
    fitted: ClassVar[bool] = False  # whether `width` is searched so that the generator is as large as `ours`
    training_only: ClassVar[tuple[str, ...]] = ()  # attributes that only training needs; they are not saved in the end
    warm_start: ClassVar[WarmStart | None] = None  # of the network that `warm_start_network` makes

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.optimizers: dict[str, Optimizer] = {}
        self.wrapped: dict[str, nn.Module] = {}  # a plain dict: the wrappers must not show up in state_dict

    def keeps(self, name: str) -> bool:
        """Return whether a parameter or buffer is the generator's, not of a network that only training needs."""
        return name.partition(".")[0] not in self.training_only

    @property
    def map(self) -> str:
        """Side of the feature map that the model's connection sits on, `-` if it has none."""
        return "-"

    def optimise(self, fabric: Fabric, name: str, optimizer: Optimizer) -> None:
        """Announce that `optimizer` trains the sub-network `name`; both go through Fabric."""
        self.wrapped[name], self.optimizers[name] = fabric.setup(getattr(self, name), optimizer)

    def descend(self, fabric: Fabric, loss: Tensor, *names: str) -> None:
        """Take one step down `loss` with the optimisers of the sub-networks `names`."""
        for name in names:
            self.optimizers[name].zero_grad()
        fabric.backward(loss)
        for name in names:
            self.optimizers[name].step()

    @classmethod
    def warm_start_network(cls, spec: ModelSpec) -> nn.Module:
        """Return the untrained network that `warm_start` is about, such as the discriminator.

        The harness trains it on real images before the first cycle, once for each training seed and for all models that
        build it by the same code, and gives a model the trained weights.

        Args:
            spec: that of the run, before a width is fitted.

        Returns:
            A network that takes images of shape (B, 3, S, S), in [-1, 1], and returns a tuple that begins with logits
            of the identity, of shape (B, N_i) or with further classes behind, and of the view, of shape (B, N_a). One
            of the two is None if it does not tell them apart.
        """
        raise NotImplementedError

    def setup(self, fabric: Fabric) -> None:
        """Create the optimisers and announce them by `optimise`."""
        raise NotImplementedError

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        """Do one cycle of the published schedule.

        Args:
            batches: where to draw real images from, as many batches as the cycle needs.
            fabric: gradients go through `fabric.backward`.
            progress: share of the budget used so far, in [0, 1].
        """
        raise NotImplementedError

    def finish(self, batches: Batches) -> None:
        """Do what has to be done once after training, such as measuring batch-norm statistics; default: nothing."""

    def diversify(self) -> None:
        """Make `generate` vary with the noise as much as training images do; default: nothing.

        Called before a trained model augments a training set (few-shot); identity is measured without it.
        """

    def diagnose(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Mapping[str, float]:
        """Return named numbers that say how the trained generator works; default: none.

        Called once, after `finish`, in evaluation mode and without gradients. Arguments as of `generate`; neighbours in
        the batch show different identities.
        """
        return {}

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views.

        Args:
            image: images of shape (B, 3, S, S), in [-1, 1].
            view_code: non-negative weights of shape (B, N_a) whose rows sum to 1; one-hot for a pure view.
            noise: standard normal noise of shape (B, 128).

        Returns:
            Images of shape (B, 3, S, S), in [-1, 1].
        """
        raise NotImplementedError


def one_hot(view: Tensor, views: int) -> Tensor:
    """Return view codes of shape (B, N_a) for integer views of shape (B,)."""
    return torch.nn.functional.one_hot(view, views).to(torch.float32)


def random_views(count: int, views: int, device: torch.device) -> Tensor:
    """Return uniformly drawn target views y_t of shape (count,), independent of the source views."""
    return torch.randint(views, (count,)).to(device)


def random_noise(count: int, device: torch.device) -> Tensor:
    """Return standard normal noise of shape (count, 128)."""
    return torch.randn(count, NOISE).to(device)
