"""Links in the documentation lead somewhere, and what it says of the command line and the settings exists."""

import re
from pathlib import Path

import click
import pytest

from benchmark.cli import cli
from benchmark.config import settings
from tests.tools import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"(?:^|`)benchmark ([^`\n#]*)", text, re.MULTILINE):
        name, *words = line.split("  ")[0].split()
        if name.startswith("-"):
            continue
        assert name in cli.commands, line
        known = {option for each in cli.commands[name].params for option in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= {*known, "--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_that_are_set_exist(page: Path) -> None:
    profile = settings.profile("quick", PROJECT / "params.yaml")
    for key in re.findall(r"--set '?([a-z_.]+)=", page.read_text(encoding="utf-8")):
        profile.values_of([key])


def test_every_page_stands_in_the_index() -> None:
    listed = {target for target, _ in LINK.findall((PROJECT / "docs/README.md").read_text(encoding="utf-8"))}
    assert {page.name for page in (PROJECT / "docs").glob("*.md")} - {"README.md"} <= listed


def test_every_command_is_listed() -> None:
    listed = (PROJECT / "docs/commands.md").read_text(encoding="utf-8")
    shown = [name for name, command in cli.commands.items() if not command.hidden]
    assert [name for name in shown if f"`benchmark {name}" not in listed] == []
    assert isinstance(cli, click.Group)
