"""The sections by their names. Importing this module imports none of them."""

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.speed.rows import Section
    from benchmark.workspace import Run

USUAL = ("utilisation", "feeding", "attention", "evaluation", "commands", "scaling")
LONG = ("pipeline",)  # measured only where it is named
ALL = (*USUAL, *LONG)


def measured(run: "Run", names: Iterable[str]) -> "Iterator[Section]":
    """Yield the sections, each as soon as it is measured, in their own order whatever that of `names`."""
    wanted = set(names)
    for name in ALL:
        if name in wanted:
            print(f"measuring {name} ...", file=sys.stderr)
            section: Section = import_module(f"benchmark.speed.{name}").measure(run)
            yield section
