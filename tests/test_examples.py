"""The example of a model in one file keeps the contract, and the documentation shows its very lines."""

from pathlib import Path

import pytest

from benchmark.conformance.suite import verify
from models.registry import find
from tests.tools import PROJECT

EXAMPLE = PROJECT / "examples" / "sibling.py"


def code(text: str) -> list[str]:
    """Return the lines of code without comments."""
    return [line.split("  # ")[0].rstrip() for line in text.splitlines() if line.strip()]


def test_the_example_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify([find("sibling", [EXAMPLE])]), capsys.readouterr().out


@pytest.mark.parametrize("page", ["README.md", "docs/add_a_model.md"])
def test_the_documentation_shows_lines_of_the_example(page: str) -> None:
    text = Path(PROJECT / page).read_text(encoding="utf-8")
    shown = code(text.split("class Sibling(ViewModel):")[1].split("```")[0])
    assert len(shown) > 10
    assert not set(shown) - set(code(EXAMPLE.read_text(encoding="utf-8")))
