"""The main table of the README, and the rates in docs/profiles.md, are those of the stored results."""

import pandas as pd
import pytest

from tests.tools import PROJECT

RESULTS = PROJECT / "results/reference/cpu"
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ROWS = {
    "ours": "Xiong et al. with CNC and AIM",
    "dr_gan": "DR-GAN",
    "cr_gan": "CR-GAN",
    "two_step": "Two-Step",
    "unet": "U-net with AIM",
    "vanilla": "Xiong et al. without CNC and AIM",
    "oracle": "control: the true picture",
    "copy": "control: the input itself",
    "no_augmentation": "control: real images alone",
}


def percent(row: pd.Series, name: str) -> str:
    """Return a rate with its interval, as tables for reading have it."""
    rate, low, high = (100 * row[f"{name}{end}"] for end in ("", "_ci_low", "_ci_high"))
    return f"{rate:.1f} [{low:.1f}, {high:.1f}]"


def cells(table: pd.DataFrame, model: str, chosen: dict[str, object], *names: str) -> list[str]:
    """Return the rates of one row of a stored table, dashes where there is none."""
    found = table[(table["model"] == model) & (table[list(chosen)] == pd.Series(chosen)).all(axis=1)]
    return [percent(found.iloc[0], name) for name in names] if len(found) else ["-"] * len(names)


def line(model: str) -> str:
    """Return the row of a model as it must stand in the README."""
    identity, fewshot = (pd.read_csv(RESULTS / f"{name}.csv") for name in ("identity", "fewshot"))
    rates = cells(identity, model, {"split": "random", "nc": 20}, "joint_cross", "joint", "top1", "view")
    rates += [rate for shot in (5, 10) for rate in cells(fewshot, model, {"shot": shot}, "accuracy")]
    return f"| {ROWS[model]} (`{model}`) | {' | '.join(rates)} |"


@pytest.mark.parametrize("model", ROWS)
def test_a_row_has_the_numbers_that_are_stored(model: str) -> None:
    assert line(model) in README.splitlines()


def test_the_rates_of_quick_are_those_that_are_stored() -> None:
    table = pd.read_csv(PROJECT / "results/reference/quick/identity.csv")
    text = (PROJECT / "docs/profiles.md").read_text(encoding="utf-8")
    for model in ("ours", "dr_gan", "vanilla", "unet", "cr_gan", "two_step"):
        (rate,) = cells(table, model, {"split": "random", "nc": 20}, "joint_cross")
        assert f"`{model}` {rate}" in text
