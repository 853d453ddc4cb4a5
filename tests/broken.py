"""Models that break the contract in one way each, with the check that has to say so and words of its sentence."""

import random
from collections.abc import Callable
from dataclasses import replace

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from models.interface import Batches, CycleReport, ModelSpec, ViewModel, WarmStart
from tests.tiny import Tiny

BROKEN: dict[str, tuple[str, str]] = {}  # name of the class: check, words


def breaks(check: str, words: str) -> Callable[[type[Tiny]], type[Tiny]]:
    def note(model: type[Tiny]) -> type[Tiny]:
        BROKEN[model.__name__] = check, words
        return model

    return note


class _Reporting(Tiny):
    """Changes what a cycle reports."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        report = super().cycle(batches, fabric, progress)
        return self.changed(report, report.losses["loss"])

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        raise NotImplementedError


@breaks("building", "ValueError: only 64 px (broken.py:")
class Refuses(Tiny):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        raise ValueError("only 64 px")


@breaks("building", "AttributeError: cannot assign module before Module.__init__() call (broken.py:")
class CallsNoSuper(Tiny):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        self.network = nn.Conv2d(3, 3, 1)


@breaks("building", "SystemExit: no GPU here (broken.py:")
class EndsTheProgram(Tiny):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        raise SystemExit("no GPU here")


@breaks("building", "Other is no subclass of ViewModel")
class Other:
    """Broken."""


@breaks("description", "there is no docstring; say in its first line which method this is")
class SaysNothing(Tiny):
    pass


@breaks("description", "citation is a list; make it a string")
class CitesAList(Tiny):
    """Broken."""

    citation = ["me", "you"]  # noqa: RUF012


@breaks("map", 'map is 8; return a text: the side in pixels, "all" or "-"')
class MapIsANumber(Tiny):
    """Broken."""

    map = 8


@breaks("map", "(broken.py:")
class NeedsValues(Tiny):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.start = self.network.weight.mean().item()


@breaks("size", "it is fitted, but smaller than ours at any width; let it grow with spec.width")
class FitsAtNoWidth(Tiny):
    """Broken."""

    fitted = True


@breaks("size", "the fitted generator is +")
class IsLargeAtAnyWidth(Tiny):
    """Broken."""

    fitted = True

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.network = nn.Sequential(nn.Conv2d(3, 1024, 16, 8), nn.ConvTranspose2d(1024, 3, 16, 8))


@breaks("training", "setup is not defined; ViewModel leaves it to the model")
class HasNoSetup(Tiny):
    """Broken."""

    setup = ViewModel.setup


@breaks("training", "TypeError: unsupported operand type(s) for /: 'CycleReport' and 'int' (broken.py:")
class RaisesInACycle(Tiny):
    """Broken."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        report = super().cycle(batches, fabric, progress)
        return report if progress < 0.5 else report / 0


@breaks("training", "cycle returns a Tensor; return a CycleReport")
class ReturnsItsLoss(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> Tensor:
        return loss


@breaks("training", "AttributeError: 'RaisesAtTheEnd' object has no attribute 'nothing' (broken.py:")
class RaisesAtTheEnd(Tiny):
    """Broken."""

    def finish(self, batches: Batches) -> None:
        self.nothing()


@breaks("losses", "the loss loss is nan in cycle 1; the harness would end the run")
class LossIsNaN(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, losses={"loss": loss * torch.nan})


@breaks("losses", "the loss loss is no tensor of one element; report its mean, such as loss.mean().detach()")
class LossIsAFloat(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, losses={"loss": loss.item()})


@breaks("losses", "the loss loss is no tensor of one element")
class LossOfEachImage(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, losses={"loss": loss.expand(4)})


@breaks("losses", "the loss loss still has its graph; report loss.detach()")
class LossWithGraph(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, losses={"loss": loss.requires_grad_()})


@breaks("losses", "the loss second is 0.5 in every cycle; report what changes with the images and the weights")
class LossIsConstant(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, losses={"loss": loss, "second": torch.tensor(0.5)})


@breaks("losses", "a cycle reports no loss; name at least one in CycleReport")
class NoLoss(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, losses={})


@breaks("images", "a cycle counts 0 images after drawing 4 in batches of 4; count the images of all batches")
class CountsNoImages(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, images=0)


@breaks("images", "a cycle counts 8 images after drawing 4 in batches of 4")
class CountsTwice(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, images=8)


@breaks("images", "a cycle counts 1 images after drawing 4 in batches of 4")
class CountsBatches(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, images=1)


@breaks("images", "images is a Tensor; count them as an int")
class CountsWithATensor(_Reporting):
    """Broken."""

    def changed(self, report: CycleReport, loss: Tensor) -> CycleReport:
        return replace(report, images=torch.tensor(4))


@breaks("gradients", "network.unused and 1 more got no gradient in 6 cycles; use it in a loss, freeze it, or name its")
class UsesNotAll(Tiny):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.network.register_parameter("unused", nn.Parameter(torch.ones(2)))
        self.network.register_parameter("multiplied_by_0", nn.Parameter(torch.ones(2)))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        fabric.backward(0 * self.network.multiplied_by_0.sum())
        return super().cycle(batches, fabric, progress)


@breaks("gradients", "network.bias got gradients but never moved; give it to an optimiser")
class OptimisesNotAll(Tiny):
    """Broken."""

    def setup(self, fabric: Fabric) -> None:
        self.optimise(fabric, "network", torch.optim.Adam([self.network.weight], 0.01))


@breaks("resuming", "stopped after cycle 1 and gone on, the losses of cycle 3 differ; keep all that a cycle depends on")
class CountsCycles(Tiny):
    """Broken."""

    done = 0

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        self.done += 1
        self.optimizers["network"].param_groups[0]["lr"] = 0.1 / self.done
        return super().cycle(batches, fabric, progress)


@breaks("resuming", "stopped after cycle 4 and gone on, the losses of cycle 5 differ")
class BeginsItsSecondPhaseAgain(Tiny):
    """Broken."""

    second = False

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        if progress > 0.4 and not self.second:
            self.second = True
            nn.init.ones_(self.network.bias)
        return super().cycle(batches, fabric, progress)


@breaks("resuming", "stopped after cycle 1 and gone on, the losses of cycle 3 differ")
class OptimiserIsNotAnnounced(Tiny):
    """Broken."""

    def setup(self, fabric: Fabric) -> None:
        super().setup(fabric)
        self.optimizers = dict(self.optimizers)
        self.own = torch.optim.SGD(self.network.parameters(), 0.1, momentum=0.9)

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        report = super().cycle(batches, fabric, progress)
        self.own.step()
        return report


@breaks("resuming", "buffers and the announced optimisers, and draw random numbers from torch only")
class DrawsElsewhere(Tiny):
    """Broken."""

    source = random.SystemRandom()

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        report = super().cycle(batches, fabric, progress)
        nn.init.constant_(self.network.bias, self.source.random())
        return report


@breaks("resuming", "what was saved after cycle 1 does not fit a new model: loaded state dict has a different number")
class OptimisesMoreLater(Tiny):
    """Broken."""

    def setup(self, fabric: Fabric) -> None:
        self.optimise(fabric, "network", torch.optim.Adam([self.network.weight], 0.01))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        if progress == 0:
            self.optimizers["network"].add_param_group({"params": [self.network.bias]})
        return super().cycle(batches, fabric, progress)


class GrowsLate(Tiny):
    """Broken in two ways: neither a checkpoint nor the weights fit a new model."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        self.norm = nn.BatchNorm2d(3, affine=False)
        return super().cycle(batches, fabric, progress)


class _Generating(Tiny):
    """Changes what is generated."""

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        return self.changed(super().generate(image, view_code, noise), image, view_code)

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        raise NotImplementedError


@breaks("output", "generate returns values from -2.")
class OutOfRange(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return 3 * made


@breaks("output", "generate returns values that are not finite")
class NotFinite(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return made / 0


@breaks("output", "generate returns (5, 1, 32, 32) of torch.float32 for images of shape (5, 3, 32, 32); return float32")
class Grey(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return made[:, :1]


@breaks("output", "generate returns (5, 3, 32, 32) of torch.float64")
class Double(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return made.double()


@breaks("output", "generate returns a list; return a tensor")
class ListOfImages(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return list(made)


@breaks("output", "generate changes its arguments; work on copies")
class ChangesItsInput(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        image.clamp_(0, 1)
        return made


@breaks("output", "IndexError: index 9 is out of bounds for dimension 0 with size 5 (broken.py:")
class RaisesInGenerate(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return made[9]


@breaks("repeatability", "the same image, code and noise give another image the second time; generate must not draw")
class DrawsInGenerate(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return made * torch.rand(())


@breaks("repeatability", "nor keep anything from call to call")
class KeepsAnAverage(_Generating):
    """Broken."""

    mean = 0.0

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        self.mean = (self.mean + made.mean()) / 2
        return (made - self.mean).tanh()


@breaks("input image", "generate gives the same for every input image; use `image`")
class IgnoresTheInput(Tiny):
    """Broken."""

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        return self.network(torch.ones_like(image)).tanh()


@breaks("batches", "in eval mode use stored statistics")
class UsesTheBatch(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return (made - made.mean(0)).tanh()


@breaks("interpolation", "IndexError: list index out of range (broken.py:")
class PureViewsOnly(_Generating):
    """Broken."""

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return [made][int((code.max(1).values < 1).any())]


@breaks("weights", "in a new model the saved weights give other images; keep what generate depends on in parameters")
class KeepsNotAll(_Generating):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.shift = torch.rand(())

    def changed(self, made: Tensor, image: Tensor, code: Tensor) -> Tensor:
        return (made + self.shift).tanh()


@breaks("training only", "training_only names discriminator, but there is no such network")
class NamesNoDiscriminator(Tiny):
    """Broken."""

    training_only = ("discriminator",)


class _Judged(Tiny):
    """Has a second network, which only training needs."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.judge = nn.Conv2d(3, 1, 1)

    def setup(self, fabric: Fabric) -> None:
        super().setup(fabric)
        self.optimise(fabric, "judge", torch.optim.Adam(self.judge.parameters(), 0.01))

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        self.descend(fabric, self.wrapped["judge"](batches.draw().image).square().mean(), "judge")
        return super().cycle(batches, fabric, progress)


@breaks("training only", "no output depends on judge; name what only training needs in training_only")
class KeepsItsDiscriminator(_Judged):
    """Broken."""


@breaks("weights", "RuntimeError")
class SharesItsWeights(Tiny):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.again = self.network


class _Head(nn.Module):
    """Two heads on the mean of an image."""

    def __init__(self, identities: int, views: int) -> None:
        super().__init__()
        self.identity, self.view = nn.Linear(3, identities), nn.Linear(3, views)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        feature = image.mean((2, 3))
        return self.identity(feature), self.view(feature)


class WarmedUp(_Judged):
    """In order: its discriminator may be trained on real images first."""

    warm_start = WarmStart("judge")
    training_only = ("judge",)

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.judge = self.warm_start_network(spec)  # type: ignore[assignment]

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        identity, view = self.wrapped["judge"](batches.draw().image)[:2]
        self.descend(fabric, identity.square().mean() + view.square().mean(), "judge")
        return Tiny.cycle(self, batches, fabric, progress)

    @classmethod
    def warm_start_network(cls, spec: ModelSpec) -> nn.Module:
        return _Head(spec.identities, spec.views)


@breaks("warm start", "warm_start names discriminator, but there is no such network")
class WarmsNothing(Tiny):
    """Broken."""

    warm_start = WarmStart("discriminator")


@breaks("warm start", "warm_start_network returns another network than judge")
class WarmsAnother(WarmedUp):
    """Broken."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.judge = _Head(spec.identities + 1, spec.views)  # type: ignore[assignment]


@breaks("warm start", "return a tuple that begins with logits of the identity")
class WarmsWithoutViews(WarmedUp):
    """Broken."""

    @classmethod
    def warm_start_network(cls, spec: ModelSpec) -> nn.Module:
        return _Head(spec.identities, spec.views + 1)


class NamesItsDiscriminator(_Judged):
    """In order."""

    training_only = ("judge",)


class MeasuresInTheEnd(_Judged):
    """In order: a network outside `training_only` that `generate` does not call, but `finish` measures by."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.register_buffer("mean", torch.zeros(()))

    def finish(self, batches: Batches) -> None:
        with torch.no_grad():
            self.mean.copy_(self.judge(batches.draw().image).mean())

    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        return torch.tanh(self.network(image) + self.mean)


class HidesItsGraph(_Generating):
    """In order: generates without gradients."""

    @torch.no_grad()
    def generate(self, image: Tensor, view_code: Tensor, noise: Tensor) -> Tensor:
        return Tiny.generate(self, image, view_code, noise)


class TwoPhases(Tiny):
    """In order: another loss in the second phase."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        report = super().cycle(batches, fabric, progress)
        return replace(report, losses={"early" if progress < 0.5 else "late": report.losses["loss"]})
