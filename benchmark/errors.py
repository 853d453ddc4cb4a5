"""The errors a user can mend, and how they name what is wrong."""

import errno
import reprlib

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 80, 80


class BenchmarkError(Exception):
    """Wrong input or a wrong environment.

    The message is one sentence for the user: what is wrong, where, and what to do about it. Every entry point prints
    it without a traceback and exits with code 2.
    """


NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system calls a full disk


class FullDiskError(BenchmarkError):
    """There is no space left for a result; nothing that comes after could be written either."""


class DivergedError(BenchmarkError):
    """A loss became infinite or not a number."""


class InterruptedRun(Exception):
    """The user pressed Ctrl-C, or the system asked the process to end; the message says how to go on."""


def shown(value: object) -> str:
    """Return a wrong value as a sentence names it: its repr, cut where it is long."""
    return _SHORT.repr(value)
