"""The sections by their names. Importing this module imports none of them."""

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from benchmark.errors import InterruptedRun

if TYPE_CHECKING:
    from benchmark.speed.rows import Section
    from benchmark.workspace import Run

USUAL = ("utilisation", "feeding", "attention", "evaluation", "commands", "scaling")
LONG = ("pipeline",)  # measured only where it is named
ALL = (*USUAL, *LONG)


def measured(run: "Run", names: Iterable[str]) -> "Iterator[Section]":
    """Yield the sections, each as soon as it is measured, in their own order whatever that of `names`.

    Raises:
        InterruptedRun: in the midst of a section, of which nothing is kept.
    """
    wanted = set(names)
    for name in ALL:
        if name in wanted:
            print(f"measuring {name} ...", file=sys.stderr)
            yield _measured(run, name)


def _measured(run: "Run", name: str) -> "Section":
    try:
        section: Section = import_module(f"benchmark.speed.{name}").measure(run)
    except KeyboardInterrupt:
        raise InterruptedRun(f"interrupted; {name} begins anew next time, alone by --only {name}") from None
    return section
