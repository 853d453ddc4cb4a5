"""Whatever the suite is started in: a notebook, a job of a cluster, an editor's folder, somebody else's repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.cli import main as dvc
from lightning_fabric.utilities.rank_zero import rank_zero_only

from benchmark import environment
from benchmark.config import settings
from benchmark.data import roots
from benchmark.errors import BenchmarkError
from benchmark.run import sources
from benchmark.run.workspace import run_of_profile
from models import registry
from models.registry import Entry, entries
from pipelines.stage import check_links
from tests.tools import PROJECT, TINY

SLURM = {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "job", "SLURM_PROCID": "2", "SLURM_LOCALID": "2"}
TORCHRUN = {"RANK": "2", "LOCAL_RANK": "2", "WORLD_SIZE": "4", "TORCHELASTIC_RUN_ID": "7", "GROUP_RANK": "1"}
EDITORS = (".#ours.py", "._ours.py", ".ours.py.swp", "ours.py~", "#ours.py#")


def started(*command: str, folder: Path = PROJECT, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), **variables}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("module", ["benchmark", "benchmark.cli"])
def test_python_m_is_the_command(module: str) -> None:
    assert "CompCars" in started("-m", module, "datasets").stdout
    wrong = started("-m", module, "walk")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: ")


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "module://none", "TkAgg", "nonsense"])
def test_figures_take_no_backend_from_outside(backend: str, tmp_path: Path) -> None:
    draw = (
        "from benchmark.reporting.figures import canvas; import matplotlib.pyplot as plt\n"
        "with canvas.theme(): plt.figure().savefig('a.png')\n"
        "print(plt.get_backend())"
    )
    done = started("-c", draw, folder=tmp_path, MPLBACKEND=backend, DISPLAY="")
    assert done.stdout == "agg\n", done.stderr


@pytest.mark.parametrize("variables", [SLURM, TORCHRUN])
def test_variables_of_a_scheduler_do_not_matter(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rank_zero_only, "rank", 2)  # as it is read from them
    fabric = environment.open_fabric("cpu")
    assert (fabric.world_size, fabric.global_rank, fabric.device.type) == (1, 0, "cpu")
    assert rank_zero_only.rank == 0  # or the live logs would stay empty


@pytest.fixture
def littered(tmp_path: Path) -> Path:
    """A folder with a model, and what editors and systems leave beside it."""
    for name in EDITORS:
        (tmp_path / name).symlink_to("user@host.1234:5678")  # as Emacs locks a file
    shutil.copy(TINY, tmp_path / "mine.py")
    return tmp_path


def test_files_of_editors_are_no_models(littered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(entries())
    shutil.copy(PROJECT / "models" / "ours.py", littered)
    monkeypatch.setattr(registry, "__file__", str(littered / "registry.py"))
    assert set(entries()) == before | {"mine"}


def test_files_of_editors_are_no_sources(littered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = littered / "theirs"
    package.mkdir()
    for name in (*EDITORS, "__init__.py", "net.py"):
        (package / name).touch() if name.endswith("t.py") or name == "__init__.py" else (package / name).symlink_to("x")
    monkeypatch.syspath_prepend(littered)
    assert [path.name for path in Entry("theirs", "theirs.net:Net").sources] == ["__init__.py", "net.py"]


def test_files_of_editors_do_not_change_the_rendered_cars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.config.settings import Data

    shutil.copytree(PROJECT / "rendered_cars", tmp_path / "rendered_cars")
    (tmp_path / "benchmark" / "data").mkdir(parents=True)
    shutil.copy(PROJECT / "benchmark" / "data" / "rendered.py", tmp_path / "benchmark" / "data")
    monkeypatch.setattr(sources, "PROJECT", tmp_path)
    before = roots.data_root(Data())
    for name in EDITORS:
        (tmp_path / "rendered_cars" / name).symlink_to("user@host.1234:5678")
    assert roots.data_root(Data()) == before


def repository(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file").write_text("one\n", encoding="utf-8")
    who = ["-c", "user.name=n", "-c", "user.email=n@n.org"]
    for words in (["init", "-q"], ["add", "file"], [*who, "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def test_the_commit_is_that_of_the_project_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "outer" / "project"
    repository(tmp_path / "outer")
    inner.mkdir()
    monkeypatch.setattr(sources, "PROJECT", inner)
    assert sources.commit() == "unknown"  # a download below somebody else's repository
    repository(inner)
    own = sources.commit()
    assert len(own) == 12
    (inner / "file").write_text("two\n", encoding="utf-8")
    assert sources.commit() == f"{own}, changed"


@pytest.fixture
def download(project: Path) -> Path:
    """The working directory: what `make env` needs of a ZIP of the project, its environment being made already."""
    for name in ("Makefile", "dvc.yaml", ".dvc/config", "requirements.lock", "pyproject.toml"):
        (project / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, project / name)
    for name in (".venv/.ready", "benchmark/a.py", "pipelines/a.py", "models/a.py", "rendered_cars/a.py"):
        (project / name).parent.mkdir()
        (project / name).touch()
    return project


def make(folder: Path, *words: str, **variables: str) -> str:
    command = ["make", "-C", str(folder), *words]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True).stdout


def test_dvc_works_in_a_download_without_git_and_after_git_init(
    download: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dvc(["dag"]) != 0
    make(download, "env")
    make(download, "env")
    assert (download / ".dvc" / "config.local").read_text(encoding="utf-8").count("no_scm") == 1
    assert dvc(["dag"]) == 0
    subprocess.run(["git", "init", "-q"], check=True)
    make(download, "env")
    assert "no_scm" not in (download / ".dvc" / "config.local").read_text(encoding="utf-8")
    assert dvc(["dag"]) == 0


def test_what_the_user_has_said_to_dvc_stays(download: Path) -> None:
    for text in ("[core]\n    no_scm = true\n", "[core]\n    no_scm = false\n"):
        (download / ".dvc" / "config.local").write_text(text, encoding="utf-8")
        for _ in range(2):
            make(download, "env")
            assert (download / ".dvc" / "config.local").read_text(encoding="utf-8") == text
        (download / ".git").mkdir(exist_ok=True)
        make(download, "env")
        assert (download / ".dvc" / "config.local").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("home", "words"), [("/proc/none", "uv --no-cache pip"), ("", "uv  pip")])
def test_a_home_that_cannot_be_written_is_not_needed(home: str, words: str, download: Path) -> None:
    told = make(download, "--dry-run", "--always-make", ".venv/.ready", HOME=home or str(download), XDG_CACHE_HOME="")
    assert told.count(words) == 2


def test_a_folder_on_another_disk_is_refused_before_dvc_would(
    download: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = run_of_profile(settings.profile("smoke"))
    check_links(run)
    disk = tmp_path_factory.mktemp("disk")
    Path("runs").symlink_to(disk)
    check_links(run)  # without git DVC records it
    subprocess.run(["git", "init", "-q"], check=True)
    with pytest.raises(BenchmarkError, match=rf"^runs/smoke leads out of the project, to {disk}/smoke, and DVC"):
        check_links(run)
    assert dvc(["config", "--local", "core.no_scm", "true"]) == 0  # as it advises
    check_links(run)
    (download / ".dvc" / "config.local").unlink()
    Path("runs").unlink()
    Path("scratch").mkdir()
    Path("runs").symlink_to("scratch")
    check_links(run)


def test_a_checkout_with_other_line_ends_has_those_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    repository(tmp_path)
    shutil.copy(PROJECT / ".gitattributes", tmp_path)
    (tmp_path / "run").write_bytes(b"#!/bin/sh\r\ntrue\r\n")  # as an editor of another system writes it
    for words in (["config", "core.autocrlf", "true"], ["add", "."], ["checkout", "-q", "."], ["stash", "-q"]):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=n@n.org", *words], check=True)
    subprocess.run(["git", "stash", "pop", "-q"], check=True)
    assert (tmp_path / "run").read_bytes() == b"#!/bin/sh\ntrue\n"
    assert (tmp_path / "file").read_bytes() == b"one\n"
