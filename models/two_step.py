"""A Two-Step Disentanglement Method.

Naama Hadad, Lior Wolf, Moni Shahar. CVPR 2018.

First an encoder S and a classifier learn to read the label; then S is frozen. In the second step an encoder Z and a
decoder reconstruct the image x from [S(x), Z(x)], while an adversary learns to read the label from Z(x) and Z is paid
for making it fail. Z is left with what the label does not say: where it is the identity, the view, paint and light.

Deviations from the authors' code: encoders and decoder are DR-GAN's, as for the other models, with batch norm, codes
without ReLU and tanh at the end (theirs are three 5x5 convolutions for 28 and 32 px). The adversary takes 4 steps for
each step of Z and the decoder (theirs 16). Its reward is cut off at ln N, where it knows no more than chance: beyond,
Z would gain without bound by making it confidently wrong; and the reward's weight, 1 for their 10 classes, falls with
ln N. The squared error is divided by the variance of the images, which theirs are scaled to. The first step takes 40
epochs at most, as theirs, and is outside of the budget of images, as a step before training; it ends earlier where the
accuracy on held-out images of the training identities no longer rises, and S is the one of the best, theirs that of the
best training accuracy. Weights start as DR-GAN's do: with their Glorot's normal, the tanh saturates at the start and
leaves patterns in bright skies.

The method has no view code, and Xiong et al., who compare with it, do not say how they imposed a view. There are three
answers here. `TwoStep` decodes S(x) with the mean Z of the target view, `TwoStepExemplar` with the Z of a training
image of that view, the authors' own demonstration. `TwoStepRoles` trades the roles: S learns the view, so that Z
carries the identity, and Z(x) is decoded with the mean S of the target view.
"""

import math

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD, Adam

from models.capacity import sized
from models.interface import NOISE, Batch, Batches, CycleReport, ModelSpec, ViewModel, WarmStart
from models.layers.blocks import initialise, scale_to_fan_in
from models.layers.codes import CodeClassifier, CodeEncoder, codes_by_view, exemplar_of
from models.layers.generator import Decoder, Parts
from models.layers.plan import plan, scaled
from models.layers.refresh import refresh_batch_norm


def reconstruction_loss(image: Tensor, rebuilt: Tensor) -> Tensor:
    """Return the mean squared error between images (B, 3, S, S), as a share of the variance of the real ones."""
    return F.mse_loss(rebuilt, image) / image.var(correction=0)


def confusion(logits: Tensor, label: Tensor) -> Tensor:
    """Return what Z is paid: the adversary's cross entropy, at most that of a guess, ln N.

    Args:
        logits: the adversary's output, of shape (B, N).
        label: the true labels, of shape (B,).
    """
    return F.cross_entropy(logits, label).clamp(max=math.log(logits.shape[1]))


def generator_loss(reconstruction: Tensor, paid: Tensor, classes: int) -> Tensor:
    """Return what Z and the decoder minimise; the weights are the authors' 5 and, for 10 classes, 1."""
    return 5 * reconstruction - paid * math.log(10) / math.log(classes)


class LabelReader(nn.Module):
    """S and its classifier, which the first step trains to read the label.

    Args:
        encoder: S.
        classifier: from codes of S to logits of the N labels.
        views: whether the labels are views, not identities.
    """

    def __init__(self, encoder: nn.Module, classifier: nn.Module, views: bool) -> None:
        super().__init__()
        self.encoder, self.classifier, self.views = encoder, classifier, views

    def forward(self, image: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return logits of identity and view for images (B, 3, S, S): (B, N) of the one that is the label, and None."""
        logits: Tensor = self.classifier(self.encoder(image))
        return (None, logits) if self.views else (logits, None)


class Disentangler(ViewModel):
    """Networks and the second step of the training; how a view is imposed is left to subclasses.

    `specified` is S in the paper and `unspecified` is Z, after what the label does and does not specify.
    """

    citation = "Hadad et al., CVPR 2018"
    labels = "identity; view only for the prototypes after training"
    updates = "S before all else; adversary 4, Z and decoder 1"
    fitted = True
    training_only = ("classifier", "adversary")
    warm_start = WarmStart("reader", epochs=40, learning_rate=1e-4, betas=(0.9, 0.999))
    views = False  # whether the label is the view

    ADVERSARY_STEPS = 4  # for one step of Z and the decoder; the authors' code takes 16
    SPECIFIED = 320  # numbers of S(x) at width 1
    UNSPECIFIED = NOISE  # numbers of Z(x), so that the noise can scatter them

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        shape = plan(spec.image_size, spec.width)
        size = scaled(self.SPECIFIED, spec.width)
        self.specified = CodeEncoder(shape, size)
        self.unspecified = CodeEncoder(shape, self.UNSPECIFIED)
        self.decoder = Decoder(shape, size + self.UNSPECIFIED, Parts())
        self.classifier = CodeClassifier(size, 2, self.classes)
        self.adversary = CodeClassifier(self.UNSPECIFIED, 3, self.classes)
        self.apply(initialise)
        if spec.initialisation == "fan_in":
            scale_to_fan_in(self)

    @classmethod
    def warm_start_network(cls, spec: ModelSpec) -> nn.Module:
        """Return S and its classifier with the weights that they have before training."""
        return cls(sized(cls, spec)).reader

    @property
    def reader(self) -> LabelReader:
        """S and its classifier as one network."""
        return LabelReader(self.specified, self.classifier, self.views)

    @property
    def classes(self) -> int:
        """Number N of labels."""
        return self.spec.views if self.views else self.spec.identities

    def label(self, batch: Batch) -> Tensor:
        """Return the labels, of shape (B,), that S is to keep and Z to lose."""
        return batch.view if self.views else batch.identity

    def setup(self, fabric: Fabric) -> None:
        """Adam (1e-4 times the common factor; 0.5, 0.999), for the adversary plain SGD (0.01 times the factor)."""
        factor = self.spec.learning_rate_factor
        for name in ("unspecified", "decoder"):
            parameters = getattr(self, name).parameters()
            self.optimise(fabric, name, Adam(parameters, 1e-4 * factor, betas=(0.5, 0.999), fused=True))
        self.optimise(fabric, "adversary", SGD(self.adversary.parameters(), 0.01 * factor))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        """Four steps of the adversary, each on a fresh batch, then one of Z and the decoder on the last of these."""
        self.specified.eval()  # frozen, its batch norm uses the running statistics and leaves them alone
        drawn = [batches.draw() for _ in range(self.ADVERSARY_STEPS)]
        adversary = [self._adversary_step(batch, fabric) for batch in drawn][-1]
        return CycleReport({"adversary": adversary, **self._generator_step(drawn[-1], fabric)}, len(drawn[-1].image))

    def _adversary_step(self, batch: Batch, fabric: Fabric) -> Tensor:
        with torch.no_grad():
            code = self.wrapped["unspecified"](batch.image)
        loss = F.cross_entropy(self.wrapped["adversary"](code), self.label(batch))
        self.descend(fabric, loss, "adversary")
        return loss.detach()

    def _generator_step(self, batch: Batch, fabric: Fabric) -> dict[str, Tensor]:
        self.adversary.requires_grad_(False)  # its weights' gradients would be computed for nothing
        rebuilt, code = self._rebuilt(batch)
        reconstruction = reconstruction_loss(batch.image, rebuilt)
        paid = confusion(self.wrapped["adversary"](code), self.label(batch))
        loss = generator_loss(reconstruction, paid, self.classes)
        self.descend(fabric, loss, "unspecified", "decoder")
        self.adversary.requires_grad_(True)
        return {"reconstruction": reconstruction.detach(), "generator": loss.detach()}

    def _rebuilt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the reconstructions of the batch and its codes Z(x), of shape (B, 128); S gets no gradient."""
        with torch.no_grad():
            specified = self.specified(batch.image)
        code = self.wrapped["unspecified"](batch.image)
        return self._decode(self.wrapped["decoder"], specified, code), code

    def _decode(self, decoder: nn.Module, specified: Tensor, unspecified: Tensor) -> Tensor:
        levels = len(self.decoder.levels)
        image: Tensor = decoder(torch.cat([specified, unspecified], 1), specified, [None] * levels)
        return image

    def finish(self, batches: Batches) -> None:
        """Measure the batch-norm statistics of Z and the decoder over reconstructions, then what imposes a view."""
        self.eval()
        trained_last = nn.ModuleList([self.unspecified, self.decoder])
        refresh_batch_norm(trained_last, lambda: self._rebuilt(batches.draw()), self.spec.refresh_batches)
        self.eval()
        self.measure(batches)

    def measure(self, batches: Batches) -> None:
        """Fill the buffers that `generate` takes a view from; all networks are in evaluation mode."""
        raise NotImplementedError

    @torch.no_grad()
    def _drawn_codes(self, encoder: nn.Module, batches: Batches) -> list[Tensor]:
        """Return, for each view, the codes of freshly drawn images of that view, of shape (n, size)."""
        codes, views = [], []
        for _ in range(self.spec.refresh_batches):
            batch = batches.draw()
            codes.append(encoder(batch.image))
            views.append(batch.view)
        return codes_by_view(torch.cat(codes), torch.cat(views), self.spec.views)


class TwoStep(Disentangler):
    """Two-Step with prototypes: S of the image, and the mean Z of the target view.

    Attributes:
        spread: how far the noise scatters Z around the mean, in standard deviations of the view's images: 0 gives the
            same picture for any noise, as measuring identity wants; `diversify` sets 1, the scatter of training images.
    """

    spread = 0.0

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.means: Tensor  # mu_k, the mean of Z over images of view k, (N_a, 128)
        self.deviations: Tensor  # sigma_k, the standard deviation, (N_a, 128)
        self.register_buffer("means", torch.zeros(spec.views, self.UNSPECIFIED))
        self.register_buffer("deviations", torch.zeros(spec.views, self.UNSPECIFIED))

    def measure(self, batches: Batches) -> None:
        """Measure mean and standard deviation of Z for every view."""
        codes = self._drawn_codes(self.unspecified, batches)
        self.means.copy_(torch.stack([own.mean(0) for own in codes]))
        self.deviations.copy_(torch.stack([own.std(0, correction=0) for own in codes]))

    def diversify(self) -> None:
        """Let the noise scatter Z as far as the training images do."""
        self.spread = 1.0

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views; shapes and ranges as in `ViewModel.generate`."""
        code = view_code @ self.means + self.spread * (view_code @ self.deviations) * noise
        return self._decode(self.decoder, self.specified(image), code)


class TwoStepExemplar(Disentangler):
    """Two-Step with exemplars: S of the image, and the Z of a training image that shows the target view."""

    labels = "identity; view only for the exemplars after training"

    EXEMPLARS = 64  # for each view

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.bank: Tensor  # Z of images of each view, (N_a, 64, 128)
        self.register_buffer("bank", torch.zeros(spec.views, self.EXEMPLARS, self.UNSPECIFIED))

    def measure(self, batches: Batches) -> None:
        """Keep the first codes Z drawn of every view; they repeat in turn where fewer than 64 were drawn."""
        codes = self._drawn_codes(self.unspecified, batches)
        place = torch.arange(self.EXEMPLARS, device=self.bank.device)
        self.bank.copy_(torch.stack([own[place % len(own)] for own in codes]))

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views: the first number of the noise chooses one exemplar of each view.

        A mixed view code mixes these exemplars. Shapes and ranges as in `ViewModel.generate`.
        """
        chosen = self.bank[:, exemplar_of(noise[:, 0], self.EXEMPLARS)]  # (N_a, B, 128)
        code = torch.einsum("bv,vbz->bz", view_code, chosen)
        return self._decode(self.decoder, self.specified(image), code)


class TwoStepRoles(Disentangler):
    """Two-Step with traded roles: S learns the view, and Z carries the identity."""

    labels = "view (first step, adversary)"
    views = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.means: Tensor  # the mean of S over images of each view, (N_a, 320 times the width)
        self.register_buffer("means", torch.zeros(spec.views, scaled(self.SPECIFIED, spec.width)))

    def measure(self, batches: Batches) -> None:
        """Measure the mean of S for every view."""
        codes = self._drawn_codes(self.specified, batches)
        self.means.copy_(torch.stack([own.mean(0) for own in codes]))

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        """Turn images to the target views, whatever the noise; shapes and ranges as in `ViewModel.generate`."""
        return self._decode(self.decoder, view_code @ self.means, self.unspecified(image))
