"""The tables of README and docs/results.md, and the rates in docs/profiles.md, are those of the stored results."""

import re

import pandas as pd
import pytest

from benchmark.reporting import references
from tests.tools import PROJECT

RESULTS = PROJECT / "results/reference/cpu"
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGE = (PROJECT / "docs/results.md").read_text(encoding="utf-8")
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


def rates(row: str, table: str, over: str, metric: str) -> list[str]:
    """Return the rates that a table of docs/results.md must show for a row, over N_c or shots, in percent."""
    found = pd.read_csv(RESULTS / f"{table}.csv")
    chosen = found["model"].eq(row) & (found["split"].eq("random") if "split" in found else True)
    return [f"{100 * rate:.1f}" for rate in found[chosen].sort_values(over)[metric]]


def under(heading: str) -> list[str]:
    """Return the lines of the section of docs/results.md whose heading begins so."""
    (section,) = (part for part in PAGE.split("\n## ") if part.startswith(f"{heading}:"))
    return section.splitlines()


def test_figure_4_has_the_numbers_that_are_stored() -> None:
    shown = [line.split(" | ")[1:5] for line in under("Figure 4") if re.match(r"\| [0-9]", line)]
    top1 = [rates(model, "identity", "nc", "top1") for model in ("ours", "dr_gan", "two_step", "cr_gan")]
    assert shown == [list(each) for each in zip(*top1, strict=True)]


@pytest.mark.parametrize(
    ("heading", "exhibit", "arguments", "rows"),
    [
        ("Table 1", "table_1", ("fewshot", "shot", "accuracy"), 8),
        ("Table 2", "table_2", ("identity", "nc", "top1"), 8),
    ],
)
def test_a_table_of_the_paper_has_the_stored_and_the_published_numbers(
    heading: str, exhibit: str, arguments: tuple[str, str, str], rows: int
) -> None:
    published = {row.model: dict(row.numbers[arguments[-1]]) for row in references.load().exhibits[exhibit].rows}
    shown = [line for line in under(heading) if re.match(r"\|[^|]*`|\| real", line)]
    assert len(shown) == rows
    for line in shown:
        first, *others = line.strip("| ").split(" | ")
        model = (re.findall(r"`(\w+)`", first) or ["no_augmentation"])[0]
        beside = [f"{number:.2f}" for _, number in sorted(published.get(model, {}).items())]
        own = rates(model, *arguments)
        wanted = [f"{rate} ({other})" for rate, other in zip(own, beside or ["-"] * len(own), strict=True)]
        assert others == wanted, model
