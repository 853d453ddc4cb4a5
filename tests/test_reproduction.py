"""`dvc repro` makes the tables: the whole pipeline in a copy of the repository, with a shrunk smoke profile.

That `benchmark run` makes the same ones is checked by `.ci/run again`, on the whole smoke profile.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

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
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the pipeline has run."""
    folder = copied(tmp_path_factory.mktemp("dvc"))
    ended(start(folder, "dvc", "repro"))
    return folder


def test_every_table_is_made(project: Path) -> None:
    names = {path.name for path in (project / "results").iterdir()}
    assert {"identity.csv", "differences.csv", "views.csv", "fewshot.csv", "claims.csv", "report.html"} <= names
    rows = pd.read_csv(project / "results" / "fewshot.csv")["model"].tolist()
    assert rows == ["vanilla", "no_augmentation", "oracle"]
    assert (project / "results" / "figures" / "joint_over_view.svg").is_file()


def test_nothing_is_left_to_do(project: Path) -> None:
    again = ended(start(project, "dvc", "repro"))
    assert "Running stage" not in again
    assert "up to date" in again


def test_dvc_shows_the_metrics(project: Path) -> None:
    shown = ended(start(project, "dvc", "metrics", "show", "--md"))
    assert "nc3.joint_cross" in shown
    assert "| results/metrics/vanilla.json" in shown


def test_dvc_plots_the_tables(project: Path) -> None:
    ended(start(project, "dvc", "plots", "show", "--out", "plots"))
    drawn = (project / "plots" / "index.html").read_text(encoding="utf-8")
    assert "joint on other views over the number of classes" in drawn
    assert "losses over the images used" in drawn
    assert "figure_4.png" in drawn
