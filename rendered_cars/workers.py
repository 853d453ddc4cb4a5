"""Worker processes that leave Ctrl-C to their parent, and do not outlive it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def mapping(workers: int) -> Iterator[Callable[[Callable[[T], R], Iterable[T]], Iterable[R]]]:
    """Yield `map` on `workers` processes, which end with this one; results come in the order of the jobs.

    Raises:
        BrokenProcessPool: one of them was killed.
    """
    if workers <= 1:
        yield map
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_parent)

    def mapped(function: Callable[[T], R], jobs: Iterable[T]) -> Iterable[R]:
        with _held_back(signal.SIGINT, signal.SIGTERM):
            return pool.map(function, jobs)

    try:
        yield mapped
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Keep signals until the end of the block, and for good from the processes that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this process when the one that started it has ended, however that was."""
    threading.Thread(target=_outlived, daemon=True).start()


def _outlived() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
