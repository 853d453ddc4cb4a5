"""Two Ray nodes of one core each on the loopback interface, and small runs whose processes are killed."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmark.run.cells import Cell
from tests.stages.conftest import draw_pictures
from tests.tools import PROJECT

PLUGINS = [PROJECT / "tests" / "cluster" / name for name in ("pausing.py", "hopeless.py")]
PATIENCE = 400  # seconds, on a busy machine
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # this makes 127.0.0.1 the address of this host
    "RAY_kill_child_processes_on_worker_exit": "0",  # they end by themselves, after they have saved their state
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "OMP_NUM_THREADS": "1",
}
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1", "include_dashboard": False}


BLIND = """
import sys
from ray._private.node import Node
from ray._private.parameter import RayParams
params = RayParams(gcs_address=sys.argv[1], redis_address=sys.argv[1], node_ip_address="127.0.0.1", num_cpus=1,
    num_gpus=0, object_store_memory=80 * 2**20, min_worker_port=0, max_worker_port=0, node_manager_port=0,
    include_log_monitor=False, dashboard_agent_listen_port=None)
node = Node(params, head=False, shutdown_at_exit=True, spawn_reaper=True)
sys.stdin.read()
"""


class Nodes:
    """A cluster of two nodes."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args=dict(NODE))
        self.address = str(self.cluster.address)
        self.nodes = [self.cluster.head_node, self.cluster.add_node(**NODE)]

    def raylets(self) -> tuple[int, int]:
        """Return the process of the node that a driver belongs to, and that of the other one."""
        from ray._private.services import get_node_to_connect_for_driver

        near = get_node_to_connect_for_driver(self.address, "127.0.0.1")
        self.nodes.sort(key=lambda node: node.unique_id != near["node_id"])
        first, second = (int(node.all_processes["raylet"][0].process.pid) for node in self.nodes)
        return first, second

    def replace_second(self) -> None:
        """Take another node in the place of the second one, which was killed."""
        self.nodes[1] = self.cluster.add_node(**NODE)

    @contextmanager
    def blind(self, folder: Path) -> Iterator[None]:
        """Have one more node, for which a folder is empty."""
        hide = 'mount -t tmpfs none "$1" && exec "$2" -c "$3" "$4"'
        words = ["unshare", "-m", "sh", "-c", hide, "sh", str(folder), sys.executable, BLIND, self.address]
        process = subprocess.Popen(words, stdin=subprocess.PIPE)
        try:
            until(lambda: self._alive() == 3 or process.poll() is not None, lambda: "the node does not start")
            if process.returncode == 1:
                pytest.skip("nothing can be mounted here")
            yield
        finally:
            process.communicate()
            until(lambda: self._alive() == 2, lambda: "the node does not end")

    def _alive(self) -> int:
        return sum(node["Alive"] for node in self.cluster.global_state.node_table())


def kill(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """The cluster; afterwards none of its processes is left."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: `make test-cluster` does it")
    mask, before = os.umask(0o077), psutil.Process().children(recursive=True)
    with pytest.MonkeyPatch.context() as patch:
        folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # short: a socket's path has at most 107 bytes
        paths = filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))
        for name, value in {**ENVIRONMENT, "RAY_TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(paths)}.items():
            patch.setenv(name, value)
        try:
            nodes = Nodes()
            yield nodes
            started = [each for each in psutil.Process().children(recursive=True) if each not in before]
            nodes.cluster.shutdown()
            left = psutil.wait_procs(started, timeout=30)[1]
            assert left == []
        finally:
            for process in psutil.Process().children(recursive=True):
                if process not in before:
                    process.kill()
            os.umask(mask)
            shutil.rmtree(folder, ignore_errors=True)


class Project:
    """A folder with a small run, made by the command line in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder, self.words = folder, words
        self.gates = folder / "gates"

    def copy(self, folder: Path, *without: str) -> "Project":
        """Return a copy in which some artefacts are not made yet."""
        shutil.copytree(self.folder, folder)
        for place in without:
            shutil.rmtree(folder / "runs" / "small" / place)
        return Project(folder, *self.words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start `benchmark run` in a session of its own; what it says goes into the file `said`."""
        command = [sys.executable, "-c", "from benchmark.cli import main; main()", "run", "--name", "small"]
        with (self.folder / "said").open("w", encoding="utf-8") as said:
            return subprocess.Popen(
                [*command, *self.words, *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def make(self, *words: str) -> int:
        """Make the run, or resume it; return the exit code."""
        process = self.start(*words)
        try:
            return process.wait(PATIENCE)
        finally:
            process.kill()

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8")

    def close(self, *cycles: int) -> None:
        self.gates.mkdir(exist_ok=True)
        for cycle in cycles:
            (self.gates / str(cycle)).touch()

    def open(self) -> None:
        shutil.rmtree(self.gates)

    def record(self, seed: int) -> dict[str, Any]:
        return Cell(self.folder / "runs" / "small" / "models" / "pausing" / f"seed{seed}").record

    def held(self, cycle: int, seed: int, other_than: int = 0) -> int:
        """Wait until a training run is held in a cycle by a process other than the given one, and return that."""
        found = [0]

        def there() -> bool:
            found[0] = int(self.record(seed).get("owner", {}).get("process", 0))
            return found[0] not in (0, other_than) and (self.gates / f"{cycle}.{found[0]}").exists()

        until(there, lambda: f"seed {seed} is not at {cycle}: {self.record(seed)}\n{self.said}")
        return found[0]


def until(condition: Callable[[], bool], words: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(words())
        time.sleep(0.1)


def worker_of(process: int) -> psutil.Process:
    """Return Ray's worker that has started a process."""
    parent = psutil.Process(process).parent()
    assert parent is not None
    return parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small run, left alone and without Ray."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    folder.mkdir()
    shutil.copy(PROJECT / "params.yaml", folder)
    draw_pictures(folder / "pictures")
    changes = {
        "data.auxiliary": 7,
        "data.standard": 5,
        "training.images": 48,
        "training.batch_size": 8,
        "training.checkpoint_minutes": 0.0,
        "training.log_every": 1,
        "extractor.epochs": 1,
        "extractor.view_epochs": 1,
        "evaluation.nc": [2],
        "evaluation.draws": 1,
        "fewshot.shots": [],
    }
    words = ["--profile", "smoke", "--dataset", "table", "--data-root", "pictures", "--device", "cpu"]
    words += ["--annotations", "pictures/labels.csv", "--model", "pausing", "--seeds", "2"]
    words += [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    project = Project(folder, *words, *(word for plugin in PLUGINS for word in ("--plugin", str(plugin))))
    code = project.make()
    assert code == 0, project.said
    return project
