"""Imports: the renderer imports none of the other packages, and nothing installed the developers' tools."""

import ast
from pathlib import Path

import pytest

from tests.tools import PROJECT

UNKNOWN = {
    "rendered_cars": {"benchmark", "models", "pipelines", "tools", "tests"},
    "benchmark": {"tools", "tests"},
    "models": {"tools", "tests"},
    "pipelines": {"tools", "tests"},
}


def imported(path: Path) -> set[str]:
    """Return the top-level names of what a file imports from anywhere but its own package."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", UNKNOWN)
def test_a_package_does_not_import(package: str) -> None:
    files = sorted((PROJECT / package).rglob("*.py"))
    assert files
    assert [path for path in files if imported(path) & UNKNOWN[package]] == []
