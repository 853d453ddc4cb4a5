"""What all tests share: one thread, Fabric on the CPU, and settings in an empty folder."""

import shutil
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from tests.tools import PROJECT

torch.set_num_threads(1)


@pytest.fixture
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory that holds the project's params.yaml alone."""
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
