"""`dvc repro` and `benchmark run` make the same tables: the whole pipeline, twice, in copies of the repository.

By far the slowest test. The smoke profile is shrunk in the copies, the cars are rendered once, and both copies run at
the same time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from benchmark import settings
from benchmark.data import rendered
from benchmark.stages.data import data_root
from tests.tools import PROJECT

BIN = Path(sys.executable).parent
SMALLER = {
    "models": ["vanilla"],
    "data.auxiliary": 4,
    "data.standard": 3,
    "data.rendered": {"identities": 7, "scarce": 0, "images": [14, 14], "size": 32, "seed": 0},
    "training.images": 32,
    "training.refresh_batches": 2,
    "extractor.epochs": 1,
    "extractor.view_epochs": 1,
    "evaluation.nc": [2, 3],
    "evaluation.draws": 2,
    "fewshot.ways": 3,
    "fewshot.shots": [2],
    "fewshot.controls": ["no_augmentation", "oracle"],
}


def environment(project: Path) -> dict[str, str]:
    """Return an environment in which `dvc`, `python` and the sources of the copy are found first."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "1"}


def start(project: Path, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command, cwd=project, env=environment(project), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return output


def copied(folder: Path) -> Path:
    """Copy what git tracks into `folder`, as a repository of its own, with a small smoke profile made active."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    path = folder / "params.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    smoke = content["profiles"]["smoke"]
    for key, value in SMALLER.items():
        section, _, last = key.rpartition(".")
        (smoke[section] if section else smoke)[last] = value
    path.write_text(
        yaml.safe_dump({"profiles": {"smoke": smoke}, "active": "smoke", "models": smoke["models"]}), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two copies that ran the pipeline, the first by `dvc repro`, the second by `benchmark run`."""
    first, second = (copied(tmp_path_factory.mktemp(name)) for name in ("dvc", "run"))
    data = settings.profile(path=first / "params.yaml").data
    for project in (first, second):
        if project is first:
            rendered.make(data.rendered, first / data_root(data), workers=1)
        else:
            shutil.copytree(first / "data", second / "data")
    by_dvc = start(first, "dvc", "repro")
    by_run = start(second, sys.executable, "-c", "from benchmark.cli import main; main()", "run", "--profile", "smoke")
    for process in (by_dvc, by_run):
        ended(process)
    return first, second


def test_both_ways_give_the_same_bytes(copies: tuple[Path, Path]) -> None:
    first, second = (project / "results" for project in copies)
    names = sorted(path.name for path in first.iterdir() if path.suffix in (".csv", ".json", ".md"))
    assert {"identity.csv", "differences.csv", "views.csv", "fewshot.csv", "claims.csv"} <= set(names)
    rows = pd.read_csv(first / "fewshot.csv")["model"].tolist()
    assert rows == ["no_augmentation", "oracle", "vanilla"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert sorted(path.name for path in (first / "figures").iterdir()) == sorted(
        path.name for path in (second / "figures").iterdir()
    )


def test_nothing_is_left_to_do(copies: tuple[Path, Path]) -> None:
    again = ended(start(copies[0], "dvc", "repro"))
    assert "Running stage" not in again
    assert "up to date" in again


def test_dvc_shows_the_metrics(copies: tuple[Path, Path]) -> None:
    shown = ended(start(copies[0], "dvc", "metrics", "show", "--md"))
    assert "nc3.joint" in shown
    assert "| results/metrics/vanilla.json" in shown


def test_dvc_plots_the_tables(copies: tuple[Path, Path]) -> None:
    ended(start(copies[0], "dvc", "plots", "show", "--out", "plots"))
    drawn = (copies[0] / "plots" / "index.html").read_text(encoding="utf-8")
    assert "joint accuracy over the number of classes" in drawn
    assert "losses over the images used" in drawn
    assert "figure_4.png" in drawn
