"""Who is working on something in a folder that several hosts may share: a host, a process, and since when."""

import os
import platform
import re
import time
from pathlib import Path
from typing import Any, TypedDict

import psutil  # type: ignore[import-untyped]


class Owner(TypedDict):
    """A process that makes something.

    Attributes:
        host: where it runs, see `HOST`.
        process: its number.
        since: when it began, in seconds since 1970.
    """

    host: str
    process: int
    since: float


def _host() -> str:
    """Return the host's name with its space of process numbers: containers of one host can share the name alone."""
    namespace = Path("/proc/self/ns/pid")
    try:
        number = re.sub(r"\D", "", str(namespace.readlink()))
    except OSError:  # not Linux
        number = "0"
    return re.sub(r"[^A-Za-z0-9-]", "-", platform.node()) + f"-{number}"


HOST = _host()


def this_process() -> Owner:
    """Return this process as the owner of what it begins now."""
    return {"host": HOST, "process": os.getpid(), "since": round(time.time(), 1)}


def is_running(process: int, since: float | None = None) -> bool:
    """Return whether a process of this host is running, and did not begin after `since`."""
    try:
        begun = float(psutil.Process(process).create_time())
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return since is None or begun <= since + 1


def _is_owner(owner: Any) -> bool:
    kinds = {"host": str, "process": int, "since": float | int}
    return isinstance(owner, dict) and all(isinstance(owner.get(key), kind) for key, kind in kinds.items())


def is_alive(owner: Any) -> bool:
    """Return whether the process that a record names may still be running: of another host nothing is known."""
    if not _is_owner(owner):
        return False
    return owner["host"] != HOST or is_running(int(owner["process"]), float(owner["since"]))


def described(owner: Any) -> str:
    """Return who works on a cell, in words; an empty string if its record does not say."""
    if not _is_owner(owner):
        return ""
    minutes = max(0.0, time.time() - float(owner["since"])) / 60
    since = f"for {minutes / 60:.1f} h" if minutes >= 60 else f"for {minutes:.0f} min"
    if not is_alive(owner):
        return f"process {owner['process']} has ended without a word; the same command resumes"
    return f"process {owner['process']} on {'this host' if owner['host'] == HOST else owner['host']} {since}"
