"""An installed package works in any folder: every file that a command reads travels in it."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from benchmark.config import settings
from benchmark.reporting import references
from tests.tools import PROJECT

ACTIVE = settings.active_name(PROJECT / "params.yaml")
PACKAGES = ("benchmark", "models", "pipelines", "rendered_cars")
BUILD = """
import os, sys
from setuptools import build_meta
print((build_meta.build_sdist if sys.argv[1] == "sdist" else build_meta.build_wheel)(sys.argv[2]))
"""
READ = """
import benchmark
from benchmark.config import settings
from benchmark.reporting import page, references
from benchmark.run import sources
print(benchmark.__file__, settings.active_name(), references.load().paper.arxiv, len(page._asset("page.css")) > 0)
print(sources.commit())
"""


def built(source: Path, what: str, folder: Path) -> Path:
    command = [sys.executable, "-c", BUILD, what, str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is installed, from an archive of its sources, as indexes get them."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for name in PACKAGES:
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "params.yaml", "references.yaml"):
        shutil.copy(PROJECT / name, source)
    with tarfile.open(built(source, "sdist", folder)) as archive:
        archive.extractall(folder / "archive", filter="data")
    (unpacked,) = (folder / "archive").iterdir()
    with zipfile.ZipFile(built(unpacked, "wheel", folder)) as wheel:
        wheel.extractall(folder / "site")  # noqa: S202
    return folder / "site"


def run(site: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-P", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_no_file_of_a_package_is_missing(site: Path) -> None:
    files = (path for name in PACKAGES for path in (PROJECT / name).rglob("[!.]*") if path.is_file())
    ours = {path.relative_to(PROJECT) for path in files if path.parent.name != "__pycache__"}
    theirs = {path.relative_to(site) for path in site.rglob("*")}
    assert ours
    assert ours - theirs == set()
    for name in ("params.yaml", "references.yaml"):
        assert (site / "benchmark" / name).read_bytes() == (PROJECT / name).read_bytes()


def test_it_reads_them_in_any_folder(site: Path, tmp_path: Path) -> None:
    done = run(site, tmp_path, "-c", READ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        *(f"{site}/benchmark/__init__.py", ACTIVE, references.load().paper.arxiv, "True"),
        "unknown",
    ]


def test_the_settings_of_the_folder_come_first(site: Path, tmp_path: Path) -> None:
    text = (PROJECT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace(f"active: {ACTIVE}", "active: cpu"), encoding="utf-8")
    assert run(site, tmp_path, "-c", READ).stdout.split()[1] == "cpu"


def test_commands_start_in_any_folder(site: Path, tmp_path: Path) -> None:
    assert "CompCars" in run(site, tmp_path, "-m", "benchmark", "datasets").stdout
    ended = run(site, tmp_path, "-m", "benchmark", "status")
    assert (ended.returncode, ended.stderr) == (
        2,
        f"error: runs/{ACTIVE} holds no results yet; run `benchmark run` first, "
        "or wait where it is still preparing images\n",
    )
