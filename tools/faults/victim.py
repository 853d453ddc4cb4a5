"""A process that dies at a chosen write: `python -m tools.faults.victim TRAP PATH run ...` is `benchmark run ...` then.

The interpreter tells about every rename and removal before it does it, which is the moment to die. Within a write the
kernel does it: the one that makes a file longer than allowed ends the process, what fits being on the disk.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable

WITHIN = 2**16  # bytes of the first large file that get to the disk; logs and records are smaller
BEFORE, SECOND, REMOVAL, HALF = "before", "second", "removal", "half"


def die() -> None:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_within_a_write() -> None:
    """Let the kernel end the process by SIGXFSZ, which Python ignores, when a file gets longer than WITHIN."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WITHIN, WITHIN))


def at(event: str, path: str, count: int, what: Callable[[], None]) -> None:
    """Call `what` just before the `count`-th rename to, or removal of, a file whose path ends in `path`."""
    left = [count]

    def hook(name: str, arguments: tuple[object, ...]) -> None:
        place = {"os.rename": 1, "os.remove": 0}.get(name)
        if name == event and place is not None and str(arguments[place]).endswith(path):
            left[0] -= 1
            if left[0] == 0:
                what()

    sys.addaudithook(hook)


def spring(trap: str, path: str) -> None:
    """Set a trap.

    Args:
        trap: die before the file is renamed to its name (`before`), before it is so a second time (`second`), before it
            is removed (`removal`), or within the first large write that comes after it got its name (`half`).
        path: the end of the file's path.
    """
    if trap == HALF:
        at("os.rename", path, 1, die_within_a_write)
    elif trap == REMOVAL:
        at("os.remove", path, 1, die)
    else:
        at("os.rename", path, 2 if trap == SECOND else 1, die)


if __name__ == "__main__":
    from benchmark.cli import main

    spring(*sys.argv[1:3])
    sys.argv[1:3] = []
    main()
