"""Ending a long task between two steps when the user or the system asks for it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """A request to end, as it arrives.

    Attributes:
        hurries: whether a second signal ends at once.
    """

    hurries = True

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Signal handler; a closed terminal can send several SIGHUP, which ask once."""
        if self.asked and self.hurries and number != signal.SIGHUP:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Turn SIGINT, SIGTERM and SIGHUP (the terminal is closed) into a flag for the length of the block.

    A SIGHUP that is ignored, as under `nohup`, stays so.

    Raises:
        KeyboardInterrupt: the end was asked for, and the block ended as if it was not.
    """
    stop = Stop()
    try:
        old = {
            number: signal.signal(number, stop.ask)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        }
    except ValueError:  # not in the main thread, where no handler can be set
        yield stop
        return
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    if stop.asked:
        raise KeyboardInterrupt
