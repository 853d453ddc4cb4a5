"""Cells side by side: several processes, each of which does one cell after another.

They share the processor's cores, and a GPU where there is one. What they print comes line by line, without bars.
"""

import json
import subprocess  # nosec B404: words, no shell
import sys
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from queue import LifoQueue
from time import perf_counter
from typing import Self

import torch

from benchmark.exits import clean_exit
from benchmark.stages.apart import Process, asked_run, attempt, do_apart, start
from benchmark.stages.attempts import Outcomes, Place, Task, Work
from benchmark.workspace import Run

DONE = "\0done"  # what a worker prints after a cell, for its parent alone


class Worker:
    """A process that does what it is told; there is one as soon as there is something to do.

    Args:
        run: what it works at.
        threads: how many threads it has.
    """

    def __init__(self, run: Run, threads: int) -> None:
        self.run, self.environment = run, {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        self.process: Process | None = None
        self.stopped = False

    def do(self, task: str, model: str, seed: int, wait: bool) -> int:
        """Do a task for one place, and return 0, or the code that the process ended with."""
        process = self._running()
        with suppress(BrokenPipeError):  # it has just ended
            print(json.dumps([task, model, seed, wait]), file=process.stdin, flush=True)
        for line in process.stdout or ():
            text, done, _ = line.partition(DONE)
            if not self.stopped:
                print(text, end="", flush=True)
            if done:
                return 0
        self.close()
        return process.returncode

    def _running(self) -> Process:
        if self.process and self.process.poll() is not None:  # it was killed when it had nothing to do
            self.close()
        if self.process is None:
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            self.process = start(self.run, "benchmark.stages.crew", env=self.environment, **pipes)
        if self.stopped:  # while it was starting
            self.process.terminate()
        return self.process

    def stop(self) -> None:
        """Interrupt what it does; its state is saved."""
        self.stopped = True
        if process := self.process:  # another thread may set it to None at any time
            process.terminate()

    def close(self) -> None:
        """Wait until the process has ended."""
        if self.process:
            self.process.communicate()
        self.process = None


class Crew:
    """Workers that share the cells of a run.

    Args:
        run: what they work at.
        jobs: how many they are.
    """

    def __init__(self, run: Run, jobs: int) -> None:
        threads = run.settings.threads or max(1, torch.get_num_threads() // jobs)
        self.run, self.workers = run, [Worker(run, threads) for _ in range(jobs)]
        self.pool = ThreadPoolExecutor(jobs)  # a worker ends with the thread that has started it
        self.free: LifoQueue[Worker] = LifoQueue()  # rather one that runs than one that has to start
        for worker in self.workers:
            self.free.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if any(error):
            self._stop()
            self.pool.shutdown()  # first its threads end, which read what the workers print
        for worker in self.workers:
            worker.close()
        self.pool.shutdown()

    def _stop(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def place(self, task: Task) -> Work:
        """Have a task done by a worker; raises as `do_apart`."""
        return partial(do_apart, self.run, task, partial(self._do, task.name))

    def begin(self, task: Task, places: list[Place]) -> list[Future[None]]:
        """Have a task done for some places as soon as workers are free, and return at once."""
        work = self.place(task)
        return [self.pool.submit(work, *place, True) for place in places]

    def _do(self, task: str, model: str, seed: int, wait: bool) -> int:
        worker, begin = self.free.get(), perf_counter()
        try:
            code = worker.do(task, model, seed, wait)
        finally:
            self.free.put(worker)
        if code == 0:
            print(f"{task}/{model}/seed{seed}: done after {perf_counter() - begin:.0f} s", flush=True)
        return code

    def side_by_side(self, work: Work, places: list[Place], wait: bool) -> Outcomes:
        """Do as many places at once as there are workers; who stops asking for outcomes interrupts them."""
        futures: dict[Future[None], Place] = {}
        try:
            futures.update((self.pool.submit(work, *place, wait), place) for place in places)
            for future in as_completed(futures):
                yield futures[future], future.result
        except BaseException:
            self._stop()
            self.pool.shutdown()
            raise


def _work(run: Run, task: str) -> Work:
    """Return what does a task; it is imported late, as each takes seconds."""
    if task == "identity":
        from benchmark.stages.identity import Measurement

        return Measurement(run).measure
    if task == "fewshot":
        from benchmark.stages.fewshot import FewShotMeasurement

        return FewShotMeasurement(run).measure
    if task == "extractors":
        from benchmark.stages.extractor import train_extractor

        return partial(train_extractor, run)
    if task == "warm_starts":
        from benchmark.stages.warm_start import make

        return partial(make, run)
    from benchmark.stages.train import train

    return partial(train, run)


def main() -> None:
    """Do what the parent asks for on stdin, line after line."""
    run = asked_run()
    with clean_exit():
        for line in sys.stdin:
            task, model, seed, wait = json.loads(line)
            attempt(_work(run, task), model, seed, wait)
            print(DONE, flush=True)


if __name__ == "__main__":
    main()
