"""The memory that a process takes at most and its CPU time, as Linux reports them."""

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.01  # seconds between two measurements


@dataclass(frozen=True)
class Peak:
    """The peak memory of a process, in MB.

    Attributes:
        anonymous: memory of its own; pages of files, such as of a memory map, are not in it.
        resident: all of it, with the pages of files, which the system takes back where it needs room.
        seconds: how long it ran.
        cpu: CPU seconds of all its threads and of processes it has waited for.
        said: what it wrote.
    """

    anonymous: float
    resident: float
    seconds: float
    cpu: float
    said: str


def peak(module: str, arguments: Sequence[str], folder: Path) -> Peak:
    """Run `python -m module arguments` in a folder.

    Raises:
        SystemExit: it failed; what it said stands in `folder/<module>.log`.
    """
    start, log, before = time.perf_counter(), folder / f"{module}.log", _cpu()
    anonymous = resident = 0
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=folder, stdout=said, stderr=said)
        try:
            while process.poll() is None:
                sizes = status(process.pid)
                anonymous = max(anonymous, sizes.get("RssAnon", 0))
                resident = max(resident, sizes.get("VmHWM", 0))
                time.sleep(INTERVAL)
        finally:
            process.kill()
            process.wait()
    told = log.read_text(encoding="utf-8")
    if process.returncode:
        raise SystemExit(f"{module} ended with {process.returncode}: {told[-2000:]}")
    seconds, cpu = time.perf_counter() - start, _cpu() - before
    return Peak(anonymous * 1024 / 1e6, resident * 1024 / 1e6, seconds, cpu, told)


def _cpu() -> float:
    """Return the CPU seconds of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def status(process: int) -> dict[str, int]:
    """Return the sizes of a process in KiB; nothing where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) for name, size, _ in fields}
