"""The script that measures memory measures it, and its project is one that the stages accept."""

from pathlib import Path

import pandas as pd
import pytest

from benchmark.config import settings
from tools.scale import project
from tools.scale.memory import peak

HUNGRY = """
import mmap, time
own = b"x" * 200_000_000
with open("file", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    touched = sum(mapped[::4096])
    time.sleep(0.5)
"""


def test_own_memory_is_told_from_the_pages_of_files(tmp_path: Path) -> None:
    (tmp_path / "hungry.py").write_text(HUNGRY, encoding="utf-8")
    (tmp_path / "file").write_bytes(b"x" * 100_000_000)
    found = peak("hungry", [], tmp_path)
    assert 200 < found.anonymous < 250
    assert 300 < found.resident < 400


def test_a_stage_that_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text("raise SystemExit('no disk')", encoding="utf-8")
    with pytest.raises(SystemExit, match="failing ended with 1: no disk"):
        peak("failing", [], tmp_path)


def test_the_project_is_valid(tmp_path: Path) -> None:
    project.make(tmp_path / "project", 900)
    profile = settings.profile(None, tmp_path / "project" / "params.yaml")
    table = pd.read_csv(tmp_path / "project" / "photos" / "annotations.csv")
    assert len(table) == 900
    assert table["identity"].nunique() == project.LEAST_IDENTITIES
    assert set(table["view"]) == set(profile.data.views)
    assert all((tmp_path / "project" / "photos" / image).is_file() for image in table["image"])
    assert table.groupby("identity")["group"].nunique().max() == 2
