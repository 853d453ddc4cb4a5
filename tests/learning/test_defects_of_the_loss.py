"""Defects planted in the generator's loss: each makes the gate fail."""

from collections.abc import Callable

import pytest
import torch.nn.functional as F
from torch import Tensor

from benchmark.run.workspace import Run
from models import identity_view_gan
from models.identity_view_gan import Logits
from tests.learning.gate import check
from tests.learning.training_run import train_and_measure


def identity_with_the_wrong_sign(fake: Logits, identity: Tensor, target: Tensor, weight: float) -> Tensor:
    return -F.cross_entropy(fake[0], identity) + weight * F.cross_entropy(fake[1], target)


def identity_left_out(fake: Logits, identity: Tensor, target: Tensor, weight: float) -> Tensor:
    return weight * F.cross_entropy(fake[1], target)


@pytest.mark.parametrize("defect", [identity_with_the_wrong_sign, identity_left_out])
def test_a_defect_of_the_loss_is_found(
    defect: Callable[..., Tensor], run: Run, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    monkeypatch.setattr(identity_view_gan, "generator_loss", defect)
    with pytest.raises(AssertionError, match=r"joint on other views of ours is .* the bound is .* it was") as found:
        check(train_and_measure(run, defect.__name__))
    say(f"{defect.__name__.replace('_', ' ')}: {found.value}")
