"""Progress of long work: a bar on a terminal, lines in a log, and at once."""

import os
import pty
import subprocess
import sys
import termios
import time

import pytest

from benchmark import progress
from benchmark.exits import UNREAD
from tests.tools import PROJECT

ENVIRONMENT = {**{k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}, "PYTHONPATH": str(PROJECT)}
COUNT = """
from benchmark.progress import progress
for _ in progress(range(3), desc="ours seed 0", total=3, unit="img"):
    pass
"""


def counted(seconds: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines of a log of three steps, one of which takes a tenth of a second."""
    monkeypatch.setattr(progress, "SECONDS", seconds)
    with progress.progress(total=30, desc="ours seed 0", unit="img", initial=10) as bar:
        bar.set_postfix({"d": "0.25"}, refresh=False)
        for _ in range(2):
            time.sleep(0.1)
            bar.update(10)
    return capsys.readouterr().out.splitlines()


def test_a_log_has_lines_of_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = counted(0.05, monkeypatch, capsys)
    assert first.startswith("ours seed 0: 20 of 30 img, ")
    assert "img/s" in first
    assert first.endswith("d=0.25")
    assert others[-1].startswith("ours seed 0: 30 of 30 img, ")
    assert "\r" not in "".join([first, *others])


def test_what_is_quick_is_not_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert counted(60, monkeypatch, capsys) == []


def test_a_terminal_has_a_bar() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    done = subprocess.run(
        [sys.executable, "-c", COUNT], stderr=theirs, stdout=subprocess.PIPE, env=ENVIRONMENT, check=True
    )
    os.close(theirs)
    assert "3/3" in os.read(ours, 10_000).decode()
    assert done.stdout == b""
    os.close(ours)


def started(script: str) -> "subprocess.Popen[str]":
    """Start a program whose stdout is a pipe, as it is under a scheduler or `| tee log`."""
    script = f"from benchmark.exits import clean_exit\nwith clean_exit():\n    {script}"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", script], stdout=pipe, stderr=pipe, stdin=pipe, env=ENVIRONMENT, text=True
    )


def test_a_log_gets_each_line_at_once() -> None:
    with started("print('begun'); input()") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"  # while it waits for input
        process.communicate("\n")
    assert process.returncode == 0


def test_a_reader_that_stops_reading_is_no_error() -> None:
    with started("input(); print('x' * 100_000); print('y')") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stderr.read() == ""
    assert process.returncode == UNREAD
