"""The end of a program that is interrupted, or has no space or memory."""

import errno
import gc
import io
import signal
import sys
import threading
import time

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_unless_it_is_ignored(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        signal.raise_signal(number)
    assert ended.value.code == 130
    before = signal.signal(number, signal.SIG_IGN)  # as under nohup
    try:
        with clean_exit():
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)


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
