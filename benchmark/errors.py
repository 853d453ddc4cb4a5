"""The errors a user can mend, and how they name what is wrong."""

import errno
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 80, 80


class BenchmarkError(Exception):
    """Wrong input or a wrong environment.

    The message is one sentence for the user: what is wrong, where, and what to do about it. Every entry point prints
    it without a traceback and exits with code 2.
    """


MEMORY = (  # how torch, its libraries and the loader of libraries say it
    *("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc", "alloc_failed"),
    "failed to map segment",
)
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system calls a full disk


class AccessError(BenchmarkError):
    """This user may not read or remove something of another user."""


class FullDiskError(BenchmarkError):
    """There is no space left for a result; nothing that comes after could be written either."""


class MemoryShortError(BenchmarkError):
    """There is too little memory, of the machine or of its GPU, for what was asked for."""


class ClusterError(BenchmarkError):
    """The cluster has failed, not the task that ran on it; no other can be carried out there either."""


class DivergedError(BenchmarkError):
    """A loss became infinite or not a number."""


class InterruptedRun(Exception):
    """The user pressed Ctrl-C, or the system asked the process to end; the message says how to resume."""


def shown(value: object) -> str:
    """Return a wrong value as a sentence names it: its repr, cut where it is long."""
    return _SHORT.repr(value)


def is_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that there is too little memory; each library has one of its own for that."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError | ImportError) and any(words in str(error).lower() for words in MEMORY)


@contextmanager
def enough_memory(what: str, advice: str) -> Iterator[None]:
    """Turn too little memory for the block into one sentence: `what` needs it, and `advice` says what to do.

    Raises:
        MemoryShortError: there is too little.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, BenchmarkError) or not is_of_memory(error):
            raise
        raise MemoryShortError(f"{what}: there is too little memory; {advice}") from error
