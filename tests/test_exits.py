"""The end of a program that is interrupted, or has no space or memory."""

import errno
import gc
import io
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from benchmark.exits import clean_exit


class Interrupted:
    """Python drops what is raised while an object is removed."""

    def __del__(self) -> None:
        raise KeyboardInterrupt


def removed_then_busy() -> None:
    Interrupted()
    gc.collect()
    for _ in range(3000):
        time.sleep(0.01)


def test_an_interruption_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        removed_then_busy()
    assert ended.value.code == 130
    assert capsys.readouterr().err.startswith("error: interrupted; ")


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN])
def at_first(request: pytest.FixtureRequest) -> Iterator[signal.Handlers]:
    """What SIGHUP does before: end a process, or nothing, as under nohup."""
    before = signal.signal(signal.SIGHUP, request.param)
    yield request.param
    signal.signal(signal.SIGHUP, before)


def test_a_closed_terminal_interrupts_unless_that_is_ignored(at_first: signal.Handlers) -> None:
    ended = None
    try:
        with clean_exit():
            signal.raise_signal(signal.SIGHUP)
    except SystemExit as end:
        ended = end.code
    assert ended == (130 if at_first is signal.SIG_DFL else None)
    assert signal.getsignal(signal.SIGHUP) is at_first


def test_a_request_to_end_interrupts() -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 130


def test_too_little_memory_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        bytearray(2**62)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is too little memory; ")


def test_a_library_that_memory_is_too_small_for_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        raise ImportError("libtorch_cpu.so: failed to map segment from shared object")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is too little memory; ")
    with pytest.raises(ImportError, match="no module"), clean_exit():
        raise ImportError("no module")


def test_a_thread_leaves_a_full_disk_to_the_main_one(capsys: pytest.CaptureFixture[str]) -> None:
    with clean_exit():
        for error in (OSError(errno.ENOSPC, "No space left on device"), ValueError("wrong")):
            thread = threading.Thread(target=fail, args=(error,))
            thread.start()
            thread.join()
    said = capsys.readouterr().err
    assert "ValueError: wrong" in said
    assert "No space left" not in said


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("errors", "shown"), [("strict", b"K\\udcf6ln\n"), ("surrogateescape", b"K\xf6ln\n"), ("replace", b"K?ln\n")]
)
def test_a_name_that_is_no_text_is_printed_as_an_escape(
    errors: str, shown: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8", errors=errors))
    with clean_exit():
        print(b"K\xf6ln".decode("utf-8", "surrogateescape"))
    assert out.getvalue() == shown
