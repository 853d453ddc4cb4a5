"""Worker processes: in order, undisturbed by Ctrl-C, and gone when their parent is."""

import multiprocessing
import os
import time
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from rendered_cars.workers import mapping


def test_results_come_in_order() -> None:
    with mapping(2) as mapped:
        assert list(mapped(abs, range(-9, 0))) == list(range(9, 0, -1))


def test_a_worker_that_is_killed_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool), mapping(2) as mapped:
        list(mapped(os._exit, [1]))


def work() -> None:
    with mapping(2) as mapped:
        list(mapped(time.sleep, [300, 300]))


def test_workers_are_deaf_to_ctrl_c_and_end_with_their_parent() -> None:
    parent = multiprocessing.get_context("fork").Process(target=work)
    parent.start()
    assert parent.pid
    try:
        workers = _working(psutil.Process(parent.pid))
        for worker in workers:
            worker.terminate()
        assert len(psutil.wait_procs(workers, timeout=0.5)[1]) == 2
    finally:
        parent.kill()
    assert psutil.wait_procs(workers, timeout=20)[1] == []


def _working(parent: psutil.Process) -> list[psutil.Process]:
    """Wait for the workers to have their jobs."""
    while True:
        found = [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]
        if len(found) == 2 and all(child.num_threads() > 1 for child in found):
            return found
        time.sleep(0.01)
