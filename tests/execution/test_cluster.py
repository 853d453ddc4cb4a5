"""Requirements of each node of a cluster; nothing of Ray is needed without one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from benchmark.config import settings
from benchmark.errors import BenchmarkError
from benchmark.execution import cluster
from benchmark.execution.cluster import LOCK, TOKEN, Shared, joined
from benchmark.run.workspace import Run
from tests.tools import PROJECT, TINY


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    """The state of this host, with the lock held as by a driver, which is another process."""
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / TOKEN).write_text("secret", encoding="utf-8")
    code = cluster._code([str(TINY)])
    with FileLock(tmp_path / "place" / LOCK, is_singleton=False):
        yield Shared(tmp_path, Path("place"), "secret", Path(), cluster._packages(), code)


def test_this_host_lacks_nothing(shared: Shared) -> None:
    assert shared.missing() == ""
    assert {"benchmark/cli.py", "models/ours.py", str(TINY)} <= set(shared.code)
    assert {"python", "torch", "numpy", "pillow"} <= set(shared.packages)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"folder": Path("/nowhere")}, "does not see /nowhere"),
        ({"token": "of another folder under this path"}, "does not see "),
        ({"images": Path("/nowhere/cars")}, "does not see the images in /nowhere/cars"),
        ({"packages": {"python": "2.7"}}, "runs other code: embreex is "),
        ({"code": {}}, "runs other code: file benchmark/__init__.py differs"),
    ],
)
def test_what_a_node_lacks_is_named(shared: Shared, there: dict[str, Any], said: str) -> None:
    assert replace(shared, **there).missing().startswith(said)


@pytest.mark.parametrize("name", ["models/ours.py", str(TINY), "models/of_another_version.py"])
def test_other_code_is_named(shared: Shared, name: str) -> None:
    other = replace(shared, code={**shared.code, name: "0"})
    assert f"file {name} differs" in other.missing()


def test_a_folder_without_locks_across_hosts_is_named(shared: Shared) -> None:
    (shared.folder / shared.place / LOCK).unlink()  # as a mount that keeps its locks to itself: here nobody holds it
    assert shared.missing().startswith("does not see the locks in ")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return Run(settings.profile("smoke", PROJECT / "params.yaml"), Path("runs/smoke"), Path("results"))


@pytest.mark.parametrize("address", ["", "local", "ray://head:10001", "head", "127.0.0.1:1", "127.0.0.1:99999999"])
def test_an_address_where_no_cluster_is(run: Run, address: str) -> None:
    with (
        pytest.raises(BenchmarkError, match=r"^--cluster .*(give auto, or HOST:PORT|no Ray cluster answers)"),
        joined(run, address),
    ):
        pass
    assert [*Path().iterdir()] == []


def test_auto_is_the_address_of_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(BenchmarkError, match=r"^--cluster 127.0.0.1:1: no Ray cluster answers"), joined(run, "auto"):
        pass


def test_without_ray_one_sentence_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BenchmarkError, match=r"pip install 'viewpoint-benchmark\[cluster\]'"), joined(run, "auto"):
        pass


def test_nothing_of_ray_is_imported_without_a_cluster() -> None:
    imports = "import sys, benchmark.cli, benchmark.stages.pipeline, benchmark.execution.cell"
    code = f"{imports}; print({{'ray', 'benchmark.execution.cluster'}} & {{*sys.modules}})"
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def test_a_process_that_another_has_started_does_not_hurry_at_a_second_signal() -> None:
    code = """
import os, signal
from benchmark.execution.processes import PARENT, end_with_parent
from benchmark.training.interruption import stoppable
end_with_parent()
try:
    with stoppable() as stop:
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
        print("saved", stop.asked, flush=True)
except KeyboardInterrupt:
    print("ended")
"""
    environment = {**os.environ, "BENCHMARK_PARENT": str(os.getpid())}
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert said.stdout == "saved True\nended\n", said.stderr
