"""Tasks on the nodes of a Ray cluster that share a folder; each is the same process as with `--jobs` on one machine.

Ray decides where a task runs. One whose process, worker or node is lost is begun again. Everything else goes through
the folder: nothing is sent but words and what the process printed. Ray is imported here alone.
"""

import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess  # nosec B404: words, no shell
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from time import sleep
from typing import Any

from filelock import Timeout

from benchmark.environment import versions
from benchmark.errors import BenchmarkError, ClusterError
from benchmark.execution import processes
from benchmark.execution.tasks import Task
from benchmark.exits import INTERRUPTED
from benchmark.files import beside, sha256
from benchmark.run import sources
from benchmark.run.artifacts import TABLE
from benchmark.run.workspace import Run, locked

RETRIES = 5  # how often a task is begun again whose process, worker or node was lost
PATIENCE = 120  # seconds in which every node has to answer
POLL = 0.1  # seconds
TOKEN, LOCK = "token", "lock"
UNFIT = os.EX_CONFIG  # in place of an exit code: the node lacks something
SENT = {INTERRUPTED: "interrupted", -signal.SIGTERM: "interrupted", -signal.SIGKILL: "killed"}  # by exit codes
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
    "RAY_NUM_REDIS_GET_RETRIES": "2",  # how often it waits half a minute for the head of a cluster
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # of this process; what concerns a task is told when it has ended
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # no warning about it; the device is always named
}


@dataclass(frozen=True)
class Shared:
    """Properties that a node must have in common with this one.

    Attributes:
        folder: the working folder.
        place: folder in it that holds a token, and a lock that this process holds.
        token: the content of the former.
        images: folder of those that are not made by the run.
        packages: versions of Python and of the packages that results depend on.
        code: SHA-256 of every source file, by its path in the project; those of plug-ins by their whole path.
    """

    folder: Path
    place: Path
    token: str
    images: Path
    packages: Mapping[str, str]
    code: Mapping[str, str]

    def missing(self) -> str:
        """Return in words what the node that this is called on lacks, an empty string if nothing."""
        try:
            seen = (self.folder / self.place / TOKEN).read_text(encoding="utf-8")
        except OSError:
            seen = ""
        if seen != self.token:
            return f"does not see {self.folder} as this one does; mount the same folder there under the same path"
        try:
            with locked(self.folder / self.place / LOCK, wait=False):
                return f"does not see the locks in {self.folder}; mount it so that flock holds across hosts"
        except Timeout:
            pass
        except BenchmarkError as error:
            return f"has no locks: {error}"
        if not (self.folder / self.images).exists():
            return f"does not see the images in {self.images}; mount them there under the same path"
        for what, before, now in (("", self.packages, _packages()), ("file ", self.code, _code(self.code))):
            for name in sorted({*before, *now}):
                here, there = before.get(name, "none"), now.get(name, "none")
                if here != there:
                    detail = "differs" if what else f"is {there} there and {here} here"
                    return f"runs other code: {what}{name} {detail}; install the same version of everything there"
        return ""


def _packages() -> dict[str, str]:
    names = {name for row in TABLE.values() for name in row.packages}
    return {"python": platform.python_version(), **versions(*sorted(names))}


def _code(also: Any = ()) -> dict[str, str]:
    """Return the SHA-256 of the project's sources, and of further files by their whole paths."""
    files = [file for package in sources.PACKAGES for file in (sources.PROJECT / package).rglob("*.py")]
    found = {file.relative_to(sources.PROJECT).as_posix(): sha256(file) for file in files}
    return found | {name: sha256(Path(name)) for name in also if Path(name).is_absolute() and Path(name).is_file()}


def carry_out(
    shared: Shared, known: frozenset[str], request: Path, task: Task, wait: bool, threads: int, mask: int
) -> tuple[int, str]:
    """Carry out a task in a process of its own on the node that this is called on.

    Args:
        shared: what the node has to have.
        known: nodes that are known to have it.
        request: file that describes the run.
        task: the task.
        wait: whether to wait for a process that makes the same.
        threads: of the process.
        mask: of the permissions of new files.

    Returns:
        The exit code, and what was printed; or UNFIT, and what the node lacks in words.
    """
    import ray

    if ray.get_runtime_context().get_node_id() not in known and (lack := shared.missing()):
        return UNFIT, f"the node {platform.node()} {lack}"
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = processes.start(
            request, task, wait, threads, stdout=said, stderr=subprocess.STDOUT, cwd=shared.folder, umask=mask
        )
        try:
            while process.poll() is None:
                sleep(POLL)
        except SystemExit:  # SIGTERM to this worker, which answers first
            pass
        finally:  # or KeyboardInterrupt, by which Ray cancels
            process.terminate()
            process.wait()
        said.seek(0)
        return process.returncode, said.read()


class Remote:
    """A task on some node, with what the scheduler asks of a process.

    Args:
        task: the task.
        begin: begins it somewhere, and returns Ray's reference to what it returns.
    """

    def __init__(self, task: Task, begin: Callable[[], Any]) -> None:
        self.task, self.begin, self.stopped = task, begin, False
        self.reference = begin()
        self.answer: tuple[int, str] | None = None  # no cached_property: before Python 3.12 one lock serves all of them

    def _ended(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and what was printed."""
        self.answer = self.answer or self._answered()
        return self.answer

    def _answered(self) -> tuple[int, str]:
        import ray
        from ray import exceptions

        for left in reversed(range(RETRIES + 1)):
            try:
                code, said = ray.get(self.reference)
                lost = f"its process was {SENT[code]}" if code in SENT else ""
            except exceptions.TaskCancelledError:
                return INTERRUPTED, ""
            except (exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError) as error:
                code, said = -signal.SIGKILL, ""
                lost = f"its worker or node was lost ({type(error).__name__})"
            except (exceptions.RayError, ConnectionError) as error:
                reason = " ".join(str(error).split())[:200]
                raise ClusterError(
                    f"the Ray cluster cannot be used any more ({reason}); start it again, and the same command resumes"
                ) from None
            if code == UNFIT:
                raise ClusterError(f"{said}; or take it out, and the same command resumes")
            if self.stopped or not lost or not left:
                break
            print(f"{self.task}: {lost}; begun again", flush=True)
            self.reference = self.begin()
            if self.stopped:  # meanwhile
                self.terminate()
        return code, said

    @property
    def stdout(self) -> Iterator[str]:
        """Return what the process has printed, line by line, when it has ended."""
        return iter(self._ended()[1].splitlines(keepends=True))

    def wait(self) -> int:
        """Wait until the process has ended, and return its exit code."""
        return self._ended()[0]

    def terminate(self) -> None:
        """Have the process end gently."""
        import ray

        self.stopped = True
        with suppress(ray.exceptions.RayError, ValueError):
            ray.cancel(self.reference)


@dataclass(frozen=True)
class Cluster:
    """A cluster whose nodes have been looked at.

    Attributes:
        room: how many tasks fit at once.
        device: of every task, `cpu` or `cuda`.
        cpus: of each task.
        gpus: of each task.
        shared: what a node has to have.
        known: the nodes that are known to have it.
        mask: of the permissions of new files.
    """

    room: int
    device: str
    cpus: int
    gpus: float
    shared: Shared
    known: frozenset[str]
    mask: int

    def start(self, request: Path, task: Task, wait: bool, threads: int, **options: Any) -> Remote:
        """Begin a task on some node; the arguments are those of `processes.start`, whose `options` mean nothing."""
        import ray

        remote = ray.remote(carry_out).options(
            name=str(task),
            num_cpus=self.cpus,
            num_gpus=self.gpus,
            max_retries=0,  # Remote does it, in words of the suite's own
        )
        return Remote(task, partial(remote.remote, self.shared, self.known, request, task, wait, threads, self.mask))


def _check(address: str) -> None:
    """Raise BenchmarkError if nothing listens at an address; Ray itself would try for many minutes."""
    host, _, port = address.rpartition(":")
    try:
        if "/" in host or not (host and port.isdecimal()):
            raise BenchmarkError(f"--cluster {address[:100]}: give auto, or HOST:PORT of the head of a Ray cluster")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
            pass
    except (OSError, OverflowError, UnicodeError) as error:
        raise BenchmarkError(f"--cluster {address[:100]}: no Ray cluster answers there ({error})") from None


@contextmanager
def joined(run: Run, address: str, cpus: int | None = None, gpus: float | None = None) -> Iterator[Cluster]:
    """Connect to a cluster for the length of the block, after every node has been found to be fit for the run.

    Args:
        run: the run.
        address: `auto` (that of RAY_ADDRESS, or the cluster that this machine belongs to) or HOST:PORT of its head.
        cpus: cores for each task; default: as many as it has threads.
        gpus: GPUs for each task, which may be a share of one; default: 1 where the cluster has any.

    Raises:
        BenchmarkError: there is no such cluster, a node lacks something, or no node has room for a task.
    """
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", address)
    if address != "auto":
        _check(address)
    os.environ.update({key: os.environ.get(key, value) for key, value in QUIET.items()})  # read during the import
    try:
        import ray
        from ray._private import worker
    except ModuleNotFoundError:
        raise BenchmarkError("--cluster needs Ray: pip install 'viewpoint-benchmark[cluster]'") from None
    before = signal.getsignal(signal.SIGTERM)  # which Ray replaces
    place = beside(run.folder / "cluster")
    try:
        try:
            ray.init(address, log_to_driver=False, logging_level="error", include_dashboard=False)
        except Exception as error:  # they have no common type
            reason = " ".join(str(error).split())[:300]
            raise BenchmarkError(
                f"--cluster {address}: {reason}; `ray start` joins this machine to a cluster"
            ) from None
        signal.signal(signal.SIGTERM, before)
        vars(worker)["print_to_stdstream"] = lambda *words, **more: None  # pages for each lost node
        place.mkdir(parents=True)
        with locked(place / LOCK, wait=False):
            yield _looked_at(run, place, cpus, gpus)
    finally:
        ray.shutdown()
        shutil.rmtree(place, ignore_errors=True)
        with suppress(OSError):  # where nothing has begun, nothing stays
            run.folder.rmdir()
            run.folder.parent.rmdir()


def _looked_at(run: Run, place: Path, cpus: int | None, gpus: float | None) -> Cluster:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    token = secrets.token_hex(16)
    (place / TOKEN).write_text(token, encoding="utf-8")
    code = _code(str(path.absolute()) for path in run.plugins)
    shared = Shared(Path.cwd(), place, token, Path(run.settings.data.root or ""), _packages(), code)
    nodes = {each["NodeID"]: each for each in ray.nodes() if each["Alive"]}
    asked = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        probe = ray.remote(Shared.missing).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
        asked[probe.remote(shared)] = node
    answered, silent = ray.wait([*asked], num_returns=len(asked), timeout=PATIENCE)
    for reference in [*answered, *silent]:
        name = nodes[asked[reference]]["NodeManagerHostname"]
        try:
            lack = f"has not answered within {PATIENCE} s" if reference in silent else ray.get(reference)
        except Exception as error:  # whatever the import of the suite raises there, or Ray
            lack = f"cannot run the suite: {' '.join(str(error).split())[-300:]}"
        if lack:
            raise BenchmarkError(f"the node {name} ({nodes[asked[reference]]['NodeManagerAddress']}) {lack}")
    have = [node["Resources"] for node in nodes.values()]
    if gpus is None:
        gpus = float(run.device != "cpu" and any(each.get("GPU") for each in have))
    if run.device == "cuda" and not gpus:
        raise BenchmarkError("--device cuda needs a GPU for each task, and the cluster has none or --gpus is 0")
    cpus = cpus or run.settings.threads or 1
    each_gpu = int(1 / gpus + 1e-6) if 0 < gpus < 1 else 1
    room = sum(
        min(int(each.get("CPU", 0)) // cpus, int(each.get("GPU", 0)) * each_gpu // max(1, int(gpus)) if gpus else 10**6)
        for each in have
    )
    wanted = f"{cpus} cores" + (f" and {gpus:g} GPUs" if gpus else "")
    if not room:
        raise BenchmarkError(f"no node of the cluster has {wanted} for a task; lower --cpus or --gpus, or add nodes")
    print(f"cluster: {len(nodes)} nodes, {room} tasks at once, {wanted} each", flush=True)
    device = run.device if run.device != "auto" else ("cuda" if gpus else "cpu")
    os.umask(mask := os.umask(0o077))
    return Cluster(room, device, cpus, gpus, shared, frozenset(nodes), mask)
