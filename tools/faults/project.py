"""A copy of the sources, and folders in which the smallest run of every stage and model family is made with them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import yaml

NAME = "faults"
SOURCES = ("benchmark", "models", "rendered_cars", "tests", "tools", "params.yaml", "references.yaml", "pyproject.toml")
SMALLER = {  # what smoke becomes
    "name": NAME,
    "seeds": 1,
    "data.auxiliary": 6,
    "data.standard": 4,
    "data.rendered": {"identities": 11, "scarce": 1, "images": [14, 16], "size": 32, "seed": 0},
    "training.images": 320,
    "training.batch_size": 8,
    "training.log_every": 2,
    "training.checkpoint_minutes": 0.0,
    "training.refresh_batches": 3,
    "extractor.epochs": 1,
    "extractor.view_epochs": 1,
    "evaluation.nc": [2, 3],
    "evaluation.draws": 2,
    "fewshot.ways": 3,
    "fewshot.shots": [2],
    "fewshot.steps": 2,
    "fewshot.generated": 2,
    "fewshot.controls": ["no_augmentation", "oracle"],
}
COMMAND = ("-c", "from benchmark.cli import main; main()", "run")  # what the installed `benchmark run` does


def new_project(folder: Path, sources: Path) -> Path:
    """Make a folder whose params.yaml has the small profile alone."""
    folder.mkdir(parents=True)
    smoke = yaml.safe_load((sources / "params.yaml").read_text(encoding="utf-8"))["profiles"]["smoke"]
    for key, value in SMALLER.items():
        section, _, last = key.rpartition(".")
        (smoke[section] if section else smoke)[last] = value
    content = {"active": NAME, "models": smoke["models"], "profiles": {NAME: smoke}}
    (folder / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def start(project: Path, sources: Path, stderr: TextIO, *program: str) -> "subprocess.Popen[str]":
    """Start Python in a project, as leader of a process group of its own, its lines unbuffered."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a shell, and handed on
    environment = {**os.environ, "PYTHONPATH": str(sources), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *program],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )
