"""The search for widths that make generators equally large; that it succeeds for every model is a contract check."""

import pytest
import torch

from models.capacity import STEP, discriminator_parameters, generator_parameters, sized, tolerance
from models.dr_gan import DRGAN
from models.interface import ModelSpec, ViewModel
from models.ours import Ours
from models.registry import TABLE_2, entries
from models.unet import Unet, UnetNoAIM
from tests.tools import spec

FITTED = [name for name, entry in entries().items() if entry.load().fitted]


def built(kind: type[ViewModel], of: ModelSpec) -> ViewModel:
    with torch.device("meta"):
        return kind(of)


def test_every_compared_model_is_fitted_and_no_ablation_is() -> None:
    assert {"dr_gan", "cr_gan", "two_step", "unet"} <= set(FITTED)
    assert not set(FITTED) & set(TABLE_2)
    wanted = spec(width=0.37)
    assert all(sized(entries()[name].load(), wanted) == wanted for name in TABLE_2)


def test_tolerance() -> None:
    assert (tolerance(32), tolerance(33), tolerance(224)) == (0.15, 0.05, 0.05)


def test_the_search_finds_the_best_width() -> None:
    wanted = spec(width=0.25)
    reference = generator_parameters(built(Ours, wanted))
    found = generator_parameters(built(DRGAN, sized(DRGAN, wanted)))
    every = (generator_parameters(built(DRGAN, spec(width=n * STEP))) for n in range(20, 120))
    assert abs(found - reference) == min(abs(count - reference) for count in every)


def test_only_the_width_is_changed() -> None:
    wanted = spec(width=0.25, identities=55, generator_steps=3)
    found = sized(DRGAN, wanted)
    assert found == spec(width=found.width, discriminator_width=0.25, identities=55, generator_steps=3)
    assert found.width != wanted.width


@pytest.mark.parametrize("kind", [DRGAN, Unet, UnetNoAIM])
def test_the_shared_discriminator_is_the_same_for_all(kind: type[ViewModel]) -> None:
    wanted = spec(width=0.25)
    own, reference = built(kind, sized(kind, wanted)), built(Ours, wanted)
    assert discriminator_parameters(own) == discriminator_parameters(reference)


def test_parameters_of_generator_and_discriminator_are_all_there_are() -> None:
    model = Ours(spec())
    assert generator_parameters(model) == sum(p.numel() for p in model.generator.parameters())
    assert discriminator_parameters(model) == sum(p.numel() for p in model.discriminator.parameters())
