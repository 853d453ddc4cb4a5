"""The one rule for hostile input, whatever kind it is of.

It ends in one sentence and exit code 2, or in rows of rejected.csv, or, where it is odd and legal, in the right values:
never in a traceback, a hang, silence, or anything half-written or outside the run's folder.
"""

import faulthandler
import io
import json
import os
import re
import resource
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from benchmark.cli import main
from benchmark.run.workspace import Run
from benchmark.stages.data import filter_images, prepare, split
from pipelines.stage import start

SECONDS = 30  # until a hang ends the tests; a case takes a tenth of a second
MEMORY = 4 * 2**30  # bytes of addresses that a case may take
LONGEST = 700  # characters of one sentence with two paths
DATA = (prepare, filter_images, split)


NO_FILES: dict[str, Callable[[Path], object]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "nothing": lambda path: None,
    "link to nothing": lambda path: path.symlink_to("gone"),
    "link in circles": lambda path: path.symlink_to(path.name),
}


@dataclass(frozen=True)
class Ended:
    """The end of a program.

    Attributes:
        code: exit code.
        err: what it said on stderr.
        project: the folder it ran in.
        made: files and folders that are new, changed or gone in the grandparent of the project, relative to that.
    """

    code: int
    err: str
    project: Path
    made: frozenset[str]


def command(project: Path, *arguments: str) -> Ended:
    """Run the command `benchmark`."""
    return _judged(project, [(main, ["benchmark", *arguments])])


def stages(project: Path, which: Sequence[Callable[[Run], None]] = DATA, profile: str = "hostile") -> Ended:
    """Run prepare, filter and split, or some of them, as the pipeline does, until one fails."""
    return _judged(project, [(partial(start, stage), ["stage", f"--profile={profile}"]) for stage in which])


def _judged(project: Path, programs: Iterable[tuple[Callable[[], None], list[str]]]) -> Ended:
    before, err, code = _listing(project), io.StringIO(), 0
    with _limits(), redirect_stdout(io.StringIO()), redirect_stderr(err), _shown_warnings():
        for program, arguments in programs:
            with patch.object(sys, "argv", arguments):
                code = code or _code(program)
    after = _listing(project)
    made = frozenset(path for path in {*before, *after} if before.get(path) != after.get(path))
    return Ended(code, err.getvalue(), project, made)


def _code(program: Callable[[], None]) -> int:
    """Return the code with which Python would end."""
    try:
        program()
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _limits() -> Iterator[None]:
    """End the tests on a hang, and let a case that takes too much memory fail."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def _shown_warnings() -> Iterator[None]:
    """Let warnings appear on stderr, as they do for a user."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda *said: sys.stderr.write(warnings.formatwarning(*said[:4]))
        yield


def _listing(project: Path) -> dict[str, tuple[int, ...]]:
    """Return all that lies in the grandparent of the project, a folder of the test's own."""
    top, found = project.parent.parent, {}
    for path in top.rglob("*"):
        facts = path.lstat()
        kept = () if path.is_dir() else (facts.st_size, facts.st_mtime_ns, facts.st_ino)
        found[path.relative_to(top).as_posix()] = kept
    return found


def refused(ended: Ended, *words: str) -> None:
    """Assert that the input was refused in one sentence that holds the `words`."""
    assert ended.code == 2, f"code {ended.code}: {ended.err}"
    assert re.fullmatch(r"error: [^\n]+\n", ended.err), ended.err
    sentence = ended.err.removeprefix("error: ").rstrip("\n")
    assert len(sentence) <= LONGEST, sentence
    assert sentence.isprintable()
    assert not re.search(r"Traceback|<class|object at 0x|^\w+(Error|Exception)\b", sentence), sentence
    for word in words:
        assert word in sentence, sentence
    _nothing_half(ended)
    finished = {"split.parquet", "results"} & {part for path in ended.made for part in Path(path).parts}
    assert not finished, finished
    records = [path for path in ended.made if path.endswith("/run.json") and "/.kept/" not in path]
    assert "done" not in [_status(ended.project.parent.parent / path) for path in records]


def _status(record: Path) -> object:
    return json.loads(record.read_text(encoding="utf-8"))["status"]


def _nothing_half(ended: Ended) -> None:
    runs = (ended.project / "runs").relative_to(ended.project.parent.parent)
    outside = [path for path in ended.made if not Path(path).is_relative_to(runs)]
    assert not outside, outside
    assert not [path for path in ended.made if path.endswith(".part")]  # files that were being written


def accepted(ended: Ended) -> None:
    """Assert that all was done without a word of warning."""
    assert ended.code == 0, f"code {ended.code}: {ended.err}"
    assert ended.err == ""
    _nothing_half(ended)


def rejected(ended: Ended, *images: str) -> None:
    """Assert that all was done but for the `images`, which are listed with a reason each."""
    accepted(ended)
    listed = pd.read_csv(ended.project / "runs/hostile/rejected.csv", keep_default_na=False)
    assert list(listed["image"]) == list(images)
    for reason in listed["reason"]:
        assert reason.isprintable(), reason
        assert re.search(r"is no readable image: ..|the box|made square", reason), reason
