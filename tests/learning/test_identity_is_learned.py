"""`ours` passes the gate, and fails if its generator ignores the view code."""

from collections.abc import Callable

import pandas as pd
import pytest
import torch
from torch import Tensor

from benchmark.run.workspace import Run
from models.layers.generator import Generator
from tests.learning.gate import check
from tests.learning.training_run import train_and_measure


@pytest.fixture(scope="module")
def table(run: Run) -> pd.DataFrame:
    return train_and_measure(run, "ours")


def test_the_judges_know_real_images(table: pd.DataFrame) -> None:
    [real] = table[table["model"] == "real"].to_dict("records")
    assert real["top1"] > 0.7
    assert real["view"] > 0.9


def test_identity_is_learned_and_kept_on_other_views(table: pd.DataFrame, say: Callable[[str], None]) -> None:
    check(table)
    [ours] = table[table["model"] == "ours"].to_dict("records")
    say(f"ours: joint on other views {ours['joint_cross']:.1%}, view {ours['view_cross']:.1%}")


def test_a_view_code_that_the_generator_ignores_is_found(
    run: Run, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    right = Generator.forward

    def ignoring(self: Generator, image: Tensor, code: Tensor, noise: Tensor) -> Tensor:
        return right(self, image, torch.full_like(code, 1 / code.shape[1]), noise)

    monkeypatch.setattr(Generator, "forward", ignoring)
    with pytest.raises(AssertionError, match=r"joint on other views of ours is .* the bound is .* it was") as found:
        check(train_and_measure(run, "view_code_ignored"))
    say(f"view code ignored: {found.value}")
