"""A disk of a few megabytes, and filling it up at a chosen write."""

import ctypes
import json
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tools.faults.children import Project
from tools.faults.comparing import contents, differences

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
FILLER = "filler"
LEAST = 8192  # bytes that are left to a run whose disk is full from the start


def mount(folder: Path, size: int) -> None:
    """Mount a small disk, in memory, seen by this process and its children alone; it goes with them.

    Args:
        folder: where; it exists.
        size: in bytes.

    Raises:
        OSError: this machine does not permit it.
    """
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare is not permitted")
    Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="utf-8")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="utf-8")
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip())


def fill(disk: Path, left: int) -> None:
    """Leave `left` bytes."""
    free = shutil.disk_usage(disk).free - left
    if free > 0:
        with (disk / FILLER).open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), free)


def empty(disk: Path) -> None:
    """Undo what `fill` did."""
    (disk / FILLER).unlink(missing_ok=True)


def fill_at(disk: Path, known: set[str], number: int, left: int, told: Path) -> None:
    """Fill `disk` at the `number`-th write of this process that is not `known`; `told` gets the names of those.

    A write is a file that is opened for it, or renamed. The writes of libraries that do not say so come after one that
    is known.
    """
    new: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        path = _written(event, arguments)
        if path is None or len(new) == number or not path.is_relative_to(disk) or path.suffix == ".lock":
            return
        name = f"{event} {re.sub('[0-9]+', 'N', str(path.relative_to(disk)))}"
        if name not in {*known, *new}:
            new.append(name)
        if len(new) == number:
            told.write_text("\n".join(new), encoding="utf-8")
            fill(disk, left)

    sys.addaudithook(hook)


def _written(event: str, arguments: tuple[object, ...]) -> Path | None:
    """Return the path of a file that is about to be written or renamed."""
    if event == "os.rename":
        return Path(str(arguments[1])).absolute()
    if event == "open" and isinstance(arguments[0], str | Path) and isinstance(arguments[2], int):
        return Path(arguments[0]).absolute() if arguments[2] & (os.O_WRONLY | os.O_RDWR) else None
    return None


@dataclass(frozen=True)
class Found:
    """The result of a sweep: why no small disk can be had here, if so, or what was not as it must be."""

    refused: str
    problems: list[str]


def on_a_small_disk(project: Project, size: int, longest: int, seed: int, whole: dict[str, str]) -> Found:
    """Make the run of a project, whose folder becomes a disk of `size` bytes, with `sweep`; compare it with `whole`."""
    project.folder.mkdir()
    answer = project.folder.with_name("found.json")
    arguments = (project, size, longest, seed, whole, answer)
    process = multiprocessing.get_context("fork").Process(target=_on_a_small_disk, args=arguments)
    process.start()
    process.join()
    return Found(**json.loads(answer.read_text(encoding="utf-8")))


def _on_a_small_disk(project: Project, size: int, longest: int, seed: int, whole: dict[str, str], answer: Path) -> None:
    try:
        mount(project.folder, size)
    except OSError as error:
        found = Found(str(error), [])
    else:
        problems = sweep(project, longest, seed, answer.with_name("told.txt"))
        found = Found("", problems + differences(whole, contents(project.folder)))
    answer.write_text(json.dumps(asdict(found)), encoding="utf-8")


def sweep(project: Project, longest: int, seed: int, told: Path) -> list[str]:
    """Make a run whose disk is full at one write after another, and ends after each; return what was wrong.

    Args:
        project: its folder is the disk.
        longest: writes from one that fails to the next, at most.
        seed: of the distances, and of the bytes that are left.
        told: a file on another disk.
    """
    random_, known = random.Random(seed), set[str]()
    code, said = project.make(partial(fill, project.folder, LEAST))
    empty(project.folder)
    problems = _wrong("the start", code, said, project.folder)
    while True:
        number, left = random_.randint(1, longest), random_.choice((0, 0, 4096, 50_000))
        told.unlink(missing_ok=True)
        code, said = project.make(partial(fill_at, project.folder, known, number, left, told))
        empty(project.folder)
        if not told.exists():  # no write is left to fail at
            return problems + ([f"exit code {code}, {said}"] if code else [])
        new = told.read_text(encoding="utf-8").splitlines()
        known |= set(new)
        problems += _wrong(f"{new[-1]}, {left} bytes left", code, said, project.folder)


def _wrong(where: str, code: int, said: str, disk: Path) -> list[str]:
    """Print how a run has ended whose disk got full, and return what is wrong about it."""
    print(f"full at {where}: exit code {code} {said}".rstrip(), flush=True)
    if code == 0:  # what was left was enough
        return []
    sentence = re.fullmatch(r"error: no space left on the disk for [^\n]+; free some and run again\n", said)
    wrong = [] if code == 2 and sentence else [f"exit code {code}, {said}"]
    return [f"full at {where}: {each}" for each in [*wrong, *(f"{path} is left" for path in disk.rglob("*.part*"))]]
