"""Runs on a Ray cluster end with the bytes of a run on one machine, whatever is killed on the way."""

import re
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.cluster.conftest import PATIENCE, Nodes, Project, kill, until, worker_of
from tests.tools import PROJECT
from tools.faults.comparing import contents, differences

pytestmark = pytest.mark.cluster
TRAINED = ("models/pausing/seed0", "models/pausing/seed1")


def found(project: Project) -> dict[str, str]:
    """The contents of a project, without how it was started and what is drawn from times."""
    times = ("/requests/", "/report.html", "/cost_over_accuracy.")
    return {path: each for path, each in contents(project.folder).items() if not any(part in path for part in times)}


@pytest.mark.usefixtures("nodes")
def test_nothing_listens_beyond_loopback() -> None:
    processes = psutil.Process().children(recursive=True)
    sockets = [each for process in processes for each in process.net_connections() if each.status == "LISTEN"]
    assert len(sockets) >= 5  # two for each raylet
    assert {each.laddr.ip for each in sockets} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


def make_and_measure(project: Project, *words: str) -> tuple[int, float]:
    """Make a run; return the exit code and the CPU seconds of all processes below this one, to half a second each."""
    used: dict[int, float] = {}
    before = {each.pid: sum(each.cpu_times()[:2]) for each in psutil.Process().children(recursive=True)}
    driver = project.start(*words)
    while driver.poll() is None:
        for each in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                used[each.pid] = sum(each.cpu_times()[:2])
        time.sleep(0.5)
    return driver.returncode, sum(seconds - before.get(process, 0) for process, seconds in used.items())


def test_a_run_gives_the_same_bytes(nodes: Nodes, tmp_path: Path, say: Callable[[str], None]) -> None:
    words = ["--profile", "smoke", "--model", "ours", "unet", "--set", "training.images=64", "--device", "cpu"]
    words += ["--set", "fewshot.shots=[]"]
    alone, apart = (Project(tmp_path / name, *words) for name in ("alone", "apart"))
    used = []
    for project, more in ((alone, ["--jobs", "2"]), (apart, ["--cluster", nodes.address])):
        project.folder.mkdir()
        shutil.copy(PROJECT / "params.yaml", project.folder)
        if project is apart:
            shutil.copytree(alone.folder / "data", apart.folder / "data")  # with the times of the images
        code, seconds = make_and_measure(project, *more)
        assert code == 0, project.said
        used.append(seconds)
    memory = sum(each.memory_full_info().uss for each in psutil.Process().children(recursive=True)) / 2**20
    say(f"CPU seconds: {used[0]:.0f} with --jobs 2, {used[1]:.0f} on a cluster, whose processes hold {memory:.0f} MB")
    assert "cluster: 2 nodes, 2 tasks at once, 1 cores each" in apart.said
    assert differences(found(alone), found(apart)) == []
    assert len([path for path in found(apart) if path.endswith((".safetensors", ".csv"))]) > 20


def test_a_node_that_does_not_see_the_folder_is_named(nodes: Nodes, made: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", *made.words)
    shutil.copytree(made.folder, project.folder, ignore=lambda folder, names: {"runs"} & {*names})
    with nodes.blind(project.folder):
        assert project.make("--cluster", nodes.address) == 2
    said = project.said.splitlines()[-1]
    assert re.fullmatch(rf"error: the node \S+ \(127.0.0.1\) does not see {project.folder} .*", said)
    assert not (project.folder / "runs").exists()


def test_what_is_killed_is_begun_again(nodes: Nodes, made: Project, tmp_path: Path) -> None:
    project = made.copy(tmp_path / "project", *TRAINED)
    project.close(2, 3)
    raylet = nodes.raylets()[1]
    driver = project.start("--cluster", nodes.address)
    try:
        first, other = project.held(2, 0), project.held(2, 1)
        kill(first, signal.SIGKILL)
        second = project.held(2, 0, other_than=first)  # the cycle is not in its checkpoint
        worker_of(second).send_signal(signal.SIGKILL)
        third = project.held(3, 0, other_than=second)  # its process has saved the cycle
        worker_of(other).send_signal(signal.SIGTERM)
        fourth = project.held(3, 1, other_than=other)
        lost = third if worker_of(third).ppid() == raylet else fourth
        worker = worker_of(lost)
        assert worker.ppid() == raylet
        for process in (raylet, worker.pid, lost):  # the whole node
            kill(process, signal.SIGKILL)
        project.open()
        assert driver.wait(PATIENCE) == 0, project.said
    finally:
        driver.kill()
        nodes.replace_second()
    assert project.said.count("its process was killed; begun again") == 1
    assert project.said.count("its process was interrupted; begun again") == 1
    assert project.said.count("; begun again") == 4, project.said
    assert "Traceback" not in project.said
    assert differences(found(made), found(project)) == []


def test_the_driver_is_interrupted_and_then_killed(nodes: Nodes, made: Project, tmp_path: Path) -> None:
    project = made.copy(tmp_path / "project", *TRAINED)
    project.close(2, 3)
    driver = project.start("--cluster", nodes.address)
    processes = [project.held(2, seed) for seed in (0, 1)]
    driver.send_signal(signal.SIGINT)
    assert driver.wait(PATIENCE) == 130, project.said
    assert project.said.splitlines()[-1].startswith("error: ")
    assert [project.record(seed)["status"] for seed in (0, 1)] == ["interrupted"] * 2
    assert [psutil.pid_exists(process) for process in processes] == [False, False]
    driver = project.start("--cluster", nodes.address)
    processes = [project.held(3, seed) for seed in (0, 1)]  # they had saved the second cycle
    driver.kill()
    driver.wait()
    until(lambda: not any(map(psutil.pid_exists, processes)), lambda: f"{processes} outlive their driver")
    project.open()
    assert project.make("--cluster", nodes.address) == 0, project.said
    assert differences(found(made), found(project)) == []


def test_what_always_fails_is_tried_and_booked_once(nodes: Nodes, made: Project, tmp_path: Path) -> None:
    project = made.copy(tmp_path / "project")
    assert project.make("--model", "hopeless", "--keep-going", "--cluster", nodes.address, "--seeds", "1") == 1
    assert len([*project.folder.glob("hopeless.*")]) == 1
    assert re.findall("^failed: .*", project.said, re.MULTILINE) == [
        "failed: train hopeless seed 0: RuntimeError: hopeless"
    ]


def test_the_death_of_the_nearest_node_ends_in_one_sentence(nodes: Nodes, made: Project, tmp_path: Path) -> None:
    project = made.copy(tmp_path / "project", *TRAINED)
    project.close(2)
    raylet = nodes.raylets()[0]
    driver = project.start("--cluster", nodes.address, "--keep-going")
    try:
        processes = [project.held(2, seed) for seed in (0, 1)]
        kill(raylet, signal.SIGKILL)
        time.sleep(5)
        project.open()
        assert driver.wait(PATIENCE) == 2, project.said
    finally:
        driver.kill()
    assert project.said.splitlines()[-1].startswith("error: the Ray cluster cannot be used any more (")
    assert project.said.count("error: ") == 1
    until(lambda: not any(map(psutil.pid_exists, processes)), lambda: f"{processes} outlive their driver")
    assert {project.record(seed).get("status") for seed in (0, 1)} <= {"interrupted", "running"}
