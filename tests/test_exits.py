"""The end of a program that is interrupted, or has no space or memory."""

import errno
import gc
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


def test_too_little_memory_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        bytearray(2**62)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is too little memory; ")


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
