"""Shared by all tests: one thread, Fabric on the CPU, settings in an empty folder, and lines under the results."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from tests.tools import PROJECT

torch.set_num_threads(1)

FOUND = "found"  # what a test of the measurement found, shown when all tests are done

SLOW = (
    "test_identity_is_learned",
    "test_defects_of_the_loss",
    "test_learning",
    "test_reproduction",
    "test_determinism",
    "test_keep_going",
    "test_staleness",
    "test_faults",
    "test_walks",
    "test_sharing",
    "test_evaluate",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow files, and put them first, so that of two processes neither waits long for the other at the end."""
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.stem not in SLOW)


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in getattr(report, "user_properties", ()):
                if name == FOUND and report.when == "call":
                    terminalreporter.write_line(line)


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Put a line under the tests' results."""
    return lambda line: record_property(FOUND, line)


@pytest.fixture
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory that holds the project's params.yaml alone."""
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
