"""Progress: a bar on a terminal, and now and then a line in a log."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

SECONDS = 60.0  # between two lines of a log
LINE = "{desc}: {n_fmt} of {total_fmt} {unit}, {rate_noinv_fmt}, {elapsed} so far, {remaining} to go{postfix}"


class Lines:
    """A file for tqdm that turns each state of a bar into a line on stdout."""

    def write(self, text: str) -> None:
        """Print a state; without the characters that move a cursor."""
        if state := text.strip():
            print(state, flush=True)

    def flush(self) -> None:
        """Do nothing: every line is flushed."""


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> "tqdm[Any]":
    """Return a bar of tqdm; where stderr is no terminal, a line about every minute stands for it, and a last one.

    What takes less than a minute is not told there.

    Args:
        iterable: what is iterated over, if anything.
        options: those of tqdm: `desc`, `total`, `unit`, `initial`.
    """
    if sys.stderr.isatty():
        return tqdm(iterable, dynamic_ncols=True, mininterval=1.0, **options)
    return tqdm(iterable, file=Lines(), bar_format=LINE, mininterval=SECONDS, delay=SECONDS, miniters=1, **options)
