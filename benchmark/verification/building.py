"""Checks of a model that is built: all run on the CPU, so a model that needs more fails."""

import torch
from torch import nn

from benchmark.verification.expectation import FailedCheck, expect
from benchmark.verification.material import arguments
from benchmark.verification.trial import COUNT, Trial
from models.capacity import Kind, parameters, sized, tolerance
from models.interface import ModelSpec
from models.registry import BUILT_IN, REFERENCE, find

SIZES = ((32, 5, 0.125), (32, 5, 0.25), (32, 5, 0.5), (64, 5, 0.5), (96, 9, 1.0), (224, 5, 1.0))  # pixels, views, width


def building(trial: Trial) -> None:
    """The file can be imported and the model be built."""
    _ = trial.built


def description(trial: Trial) -> None:
    """A line says which method it is; a built-in model also says where it is published and how it is trained."""
    expect(trial.entry.summary not in ("", "-"), "there is no docstring; say in its first line which method this is")
    for name in ("citation", "labels", "updates"):
        value = getattr(trial.model, name)
        expect(isinstance(value, str), f"{name} is a {type(value).__name__}; make it a string")
        expect(bool(value) or trial.entry.name not in BUILT_IN, f"{name} is empty; say it in one line")


def connection_map(trial: Trial) -> None:
    """The model can be built on the meta device, and says there where its connection is."""
    place: object = trial.shape.map
    good = isinstance(place, str) and (place in ("-", "all") or place.isdigit())
    expect(good, f'map is {place!r}; return a text: the side in pixels, "all" or "-"')


def size(trial: Trial) -> None:
    """A model that asks for a fitted width gets one whose generator is as large as the reference's."""
    if not trial.shape.fitted:
        return
    kind: Kind = trial.model
    reference: Kind = find(REFERENCE).load()
    for pixels, views, width in SIZES:
        of = ModelSpec(pixels, views, identities=2, width=width)
        share = parameters(kind, sized(trial.model, of)) / parameters(reference, of) - 1
        expect(
            abs(share) <= tolerance(pixels),
            f"at {pixels} px and width {width} the fitted generator is {share:+.0%} of {REFERENCE}'s size away; let "
            "every number of channels grow with spec.width, in small steps",
        )


def warm_start(trial: Trial) -> None:
    """The discriminator that may be trained on real images first is the one that training begins with."""
    name, model = trial.model.warm_start, trial.built
    if not name:
        return
    own = getattr(model, name, None)
    if not isinstance(own, nn.Module):
        raise FailedCheck(f"warm_start names {name}, but there is no such network")
    expect(name in model.critics, f"warm_start names {name}, which critics does not; only training needs it")
    network = trial.model.discriminator(trial.spec)
    expect(isinstance(network, nn.Module), f"discriminator returns a {type(network).__name__}; return a network")
    shapes = [{key: value.shape for key, value in each.state_dict().items()} for each in (network, own)]
    expect(shapes[0] == shapes[1], f"discriminator returns another network than {name}; build both in the same way")
    with torch.no_grad():
        logits = network(arguments(trial.spec, COUNT)[0])
    found = [tuple(each.shape) for each in logits] if isinstance(logits, tuple) else []
    identities, views = trial.spec.identities, trial.spec.views
    expect(
        len(found) >= 2 and found[0][0] == COUNT and found[0][-1] >= identities and found[1] == (COUNT, views),
        f"for {COUNT} images {name} returns tensors of shapes {found}; return a tuple that begins with logits of the "
        f"identity ({COUNT}, {identities} or more) and of the view ({COUNT}, {views})",
    )
