"""The end of a program: one sentence and an exit code, no traceback, for what a user can mend."""

import _thread
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Never

from benchmark.errors import NO_SPACE, BenchmarkError, InterruptedRun, is_of_memory

WRONG, INTERRUPTED, UNREAD = 2, 130, 141


@contextmanager
def clean_exit() -> Iterator[None]:
    """End the program with 2 on wrong input, an unusable file, a full disk or memory, with 130 on an interruption.

    SIGTERM interrupts as Ctrl-C does, and so does a terminal that is closed (SIGHUP), unless `nohup` or the like has
    it ignored. What is printed comes line by line, also into a file; what the encoding lacks,
    such as bytes of a file name that are no UTF-8, comes as an escape. A reader that stops reading, such as `head`,
    ends the program without a word.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        errors = "backslashreplace" if sys.stdout.errors == "strict" else sys.stdout.errors
        sys.stdout.reconfigure(line_buffering=True, errors=errors)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    ignored = before[signal.SIGHUP] is signal.SIG_IGN
    _handle({number: _interrupt for number in before if number != signal.SIGHUP or not ignored})
    sys.unraisablehook, threading.excepthook = _interrupt_again, _thread_ended
    try:
        yield
    except BenchmarkError as error:
        end(str(error), WRONG)
    except (InterruptedRun, KeyboardInterrupt) as error:
        said = str(error) or "the same command resumes after the last finished step"
        end(said if said.startswith("interrupted") else f"interrupted; {said}", INTERRUPTED)
    except (MemoryError, RuntimeError, ImportError, OSError) as error:
        if is_of_memory(error):
            end(
                "there is too little memory; lower the batch sizes, free some or raise the limit, and run again",
                WRONG,
            )
        if not isinstance(error, OSError):
            raise
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at the end
            sys.exit(UNREAD)
        if error.errno in NO_SPACE:
            end(f"no space left on the disk for {error.filename or 'a result'}; free some and run again", WRONG)
        if error.filename is None:
            raise
        end(f"{error.filename} cannot be used: {error.strerror}; make it accessible or choose another place", WRONG)
    finally:
        sys.unraisablehook, threading.excepthook = sys.__unraisablehook__, threading.__excepthook__
        _handle(before)


def _handle(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def _interrupt_again(lost: "sys.UnraisableHookArgs") -> None:
    """Interrupt once more, a little later, if an interruption is lost because it came while an object was removed."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        threading.Timer(0.01, _thread.interrupt_main, (signal.SIGTERM,)).start()
    else:
        sys.__unraisablehook__(lost)


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    """Leave it to the main thread to say that the disk is full: it gets the error when it waits for what is written."""
    if getattr(args.exc_value, "errno", None) not in NO_SPACE:
        threading.__excepthook__(args)


def end(message: str, code: int) -> None:
    """Print one line on stderr and exit; what a terminal would obey or break the line at is written as an escape."""
    line = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in message)
    print(f"error: {line}", file=sys.stderr)
    sys.exit(code)
