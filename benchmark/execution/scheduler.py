"""Carrying out the tasks of a run: in order, one after the other in this process, or several processes at once."""

import os
import subprocess  # nosec B404: words, no shell
import sys
import traceback
from collections import deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from filelock import Timeout

from benchmark.errors import BenchmarkError, ClusterError, FullDiskError, InterruptedRun
from benchmark.execution import processes
from benchmark.execution.tasks import Task, carry_out, done
from benchmark.run.cells import sentence
from benchmark.run.runs import request
from benchmark.run.workspace import Run

if TYPE_CHECKING:
    from benchmark.execution.cluster import Cluster


class Workers:
    """At most `jobs` tasks at once, each in a process of its own, or one in this process.

    Args:
        run: the run.
        jobs: how many processes there are at once.
        isolated: whether a task has a process of its own even where there is only one at once.
        cluster: where the processes are; default: on this machine.
    """

    def __init__(self, run: Run, jobs: int, isolated: bool, cluster: "Cluster | None" = None) -> None:
        self.run, self.jobs, self.isolated = run, jobs, isolated or jobs > 1 or cluster is not None
        self.elsewhere = cluster is not None
        self.start = cluster.start if cluster else processes.start
        cores = cluster.cpus if cluster else (os.cpu_count() or 1) // jobs
        self.threads = run.settings.threads or max(1, cores)
        self.pool = ThreadPoolExecutor(jobs)
        self.request = request(run) if self.isolated else Path()
        self.processes: set[processes.Process] = set()
        self.stopped = False

    def submit(self, task: Task, waiting: bool) -> "Future[None]":
        """Begin a task, and return its future; in this process it has ended by then.

        Args:
            task: the task.
            waiting: whether to wait for a process that makes the same; otherwise the future raises Timeout.
        """
        if done(self.run, task):
            print(f"{task}: done, nothing changed", flush=True)
            finished: Future[None] = Future()
            finished.set_result(None)
            return finished
        if self.isolated:
            return self.pool.submit(self._apart, task, waiting)
        future: Future[None] = Future()
        try:
            carry_out(self.run, task, waiting)
            future.set_result(None)
        except Exception as error:
            future.set_exception(error)
        return future

    def _apart(self, task: Task, waiting: bool) -> None:
        if self.stopped:
            return
        begin, piped = (
            time(),
            self.jobs > 1 or self.start != processes.start,
        )  # alone it has the terminal, with its progress bar
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if piped else {}
        process: processes.Process = self.start(self.request, task, waiting, self.threads, **pipes)
        self.processes.add(process)
        if self.stopped:  # while it was starting
            process.terminate()
        for line in process.stdout or ():
            if not self.stopped:
                print(line, end="", flush=True)
        code = process.wait()
        self.processes.discard(process)
        if not self.stopped:
            processes.check_ended(self.run, task, code, begin)
            if piped:
                print(f"{task}: done after {time() - begin:.0f} s", flush=True)

    def stop(self) -> None:
        """Interrupt what runs, and wait until its state is saved."""
        self.stopped = True
        for process in list(self.processes):
            process.terminate()
        self.pool.shutdown(cancel_futures=True)


def carry_out_all(
    run: Run,
    tasks: Mapping[Task, set[Task]],
    jobs: int = 1,
    keep_going: bool = False,
    cluster: "Cluster | None" = None,
) -> dict[Task, str]:
    """Carry out tasks, each after those that it waits for; what another process is making comes last.

    Args:
        run: the run.
        tasks: in the order of their importance, each with those that it waits for.
        jobs: how many are carried out at once, each in a process of its own if it is not 1.
        keep_going: whether the others continue when one fails; each then has a process of its own.
        cluster: where each task is a process; default: on this machine.

    Returns:
        The tasks that failed, and why in words. What waits for one of them is left out.
    """
    rank = {task: number for number, task in enumerate(tasks)}
    sorter = TopologicalSorter({task: [each for each in first if each in tasks] for task, first in tasks.items()})
    sorter.prepare()
    ready: list[Task] = []
    held: deque[Task] = deque()
    running: dict[Future[None], Task] = {}
    failed: dict[Task, str] = {}
    left_out: set[Task] = set()
    workers = Workers(run, jobs, keep_going, cluster)
    try:
        while sorter.is_active():
            ready = sorted([*ready, *sorter.get_ready()], key=rank.__getitem__, reverse=True)
            while ready and len(running) < jobs:
                task = ready.pop()
                if tasks[task] & (failed.keys() | left_out):
                    left_out.add(task)
                    sorter.done(task)
                    ready = sorted([*ready, *sorter.get_ready()], key=rank.__getitem__, reverse=True)
                else:
                    running[workers.submit(task, waiting=False)] = task
            while held and len(running) < jobs and not ready:
                task = held.popleft()
                print(f"{task}: another process is running it, waiting", flush=True)
                running[workers.submit(task, waiting=True)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                try:
                    future.result()
                except Timeout:
                    held.append(task)
                    continue
                except (InterruptedRun, FullDiskError, ClusterError):  # no other could be carried out either
                    raise
                except Exception as error:
                    if not keep_going:
                        raise
                    failed[task] = _failed(task, error)
                sorter.done(task)
    finally:
        workers.stop()
    return failed


def _failed(task: Task, error: Exception) -> str:
    if not isinstance(error, BenchmarkError):
        traceback.print_exception(error)
    said = sentence(error)
    text = said if said.startswith(str(task)) else f"{task}: {said}"
    print(f"{text}; continuing with the others", file=sys.stderr)
    return text
