"""The golden values: what is stored comes out again, exactly.

No figure depended on how a machine rounds: tried were one and two threads, torch, oneDNN and MKL limited to AVX2 and to
SSE, oneDNN switched off, other batch sizes and double precision, which change features by up to 1.5e-6 of the largest.
Noise of 1e-5 on the features moves no figure of identity either, noise of 1e-4 does.
"""

import pytest

from models.registry import BUILT_IN
from tests.golden import check, frozen


def test_identity() -> None:
    check.check_identity()


def test_fewshot() -> None:
    check.check_fewshot()


@pytest.mark.parametrize("name", check.TRAINED)
def test_losses(name: str) -> None:
    check.check_losses(name)


def test_no_model_is_missing() -> None:
    assert set(check.stored("losses")) == {*BUILT_IN, check.CLASSIFIER}


def test_every_phase_of_a_schedule_is_in_the_losses() -> None:
    losses = check.stored("losses")
    assert all({"adversary", "reconstruction", "generator"} == set(losses[name]["cycle 1"]) for name in two_step())
    assert len(losses["dr_gan"]) < len(losses["ours"])  # four steps of the generator use up the budget sooner


def two_step() -> list[str]:
    return [name for name in BUILT_IN if name.startswith("two_step")]


def counts() -> dict[str, tuple[int, int]]:
    """Return every stored figure as (right, of)."""
    figures = {**check.stored("identity"), **check.stored("fewshot")}
    words = {f"{row}, {name}": value.split() for row, each in figures.items() for name, value in each.items()}
    return {name: (int(right), int(of)) for name, (right, _, of, *_) in words.items()}


def test_the_frozen_files_are_small() -> None:
    assert sum(path.stat().st_size for path in frozen.FOLDER.iterdir()) < 500_000


def test_every_figure_can_move_up_and_down() -> None:
    assert all(0 < right < of for right, of in counts().values())


@pytest.mark.parametrize(
    ("figure", "chance"),
    [
        ("real, random split, top1", 1 / 12),
        ("real, random split, view", 1 / 5),
        ("generated, random split, top1", 1 / 12),
        ("generated, random split, top5", 5 / 12),
        ("generated, random split, view_cross", 1 / 5),
        ("no augmentation, 5-way 5-shot", 1 / 5),
        ("generated, 5-way 5-shot", 1 / 5),
    ],
)
def test_the_networks_and_the_generator_are_better_than_chance(figure: str, chance: float) -> None:
    right, of = counts()[figure]
    assert right / of > chance + 2 * (chance * (1 - chance) / of) ** 0.5


def test_a_value_that_moved_is_named() -> None:
    moved = check.moved({"ours": {"a": 1.0, "b": "1 of 2", "c": 0.5}}, {"ours": {"a": 1.000001, "b": "2 of 2"}, "d": 1})
    assert moved == [
        "ours, b: was 1 of 2, is 2 of 2",
        "ours, c: was 0.5, is gone",
        "d: was not there, is 1",
    ]
    assert check.moved({"a": 1.0}, {"a": float("nan")}) == ["a: was 1.0, is nan"]
