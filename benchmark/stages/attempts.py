"""Doing many cells: shared between processes, and, if wanted, going on when one fails."""

import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from filelock import Timeout

from benchmark.cells import Cell, sentence
from benchmark.errors import BenchmarkError, FullDiskError, InterruptedRun

Place = tuple[str, int]  # a model or control, and a training seed
Work = Callable[[str, int, bool], None]  # model, seed, whether to wait for a process that is at the same; else Timeout
Outcomes = Generator[tuple[Place, Callable[[], None]]]  # a call does the work, or raises what became of it

NOTHING: Mapping[Place, str] = MappingProxyType({})


class Task(NamedTuple):
    """One kind of work on the cells of a run.

    Attributes:
        name: the folder that holds the cells, `models`, `identity` or `fewshot`; locks are named `<name>/<place>`.
        work: does it for one place.
        cells: returns the cells that it makes for a model and a seed.
    """

    name: str
    work: Work
    cells: Callable[[str, int], list[Cell]]


def here(task: Task) -> Work:
    """Do a task in this process."""
    return task.work


def one_by_one(work: Work, places: Iterable[Place], wait: bool) -> Outcomes:
    """Do one place after the other."""
    for place in places:
        yield place, partial(work, *place, wait)


class Attempts:
    """What was tried, and what became of it.

    Attributes:
        keep_going: whether the others go on when one fails.
        course: in what order the places are done.
        failed: what failed, and why in words.
    """

    def __init__(
        self,
        keep_going: bool = False,
        failed: Mapping[Place, str] = NOTHING,
        course: Callable[[Work, list[Place], bool], Outcomes] = one_by_one,
    ) -> None:
        self.keep_going, self.course = keep_going, course
        self.failed = dict(failed)

    def branch(self) -> "Attempts":
        """Return attempts that begin with what has failed so far, and go on apart from these."""
        return Attempts(self.keep_going, self.failed, self.course)

    def each(self, work: Work, places: Iterable[Place]) -> None:
        """Do `work` for every place that has not failed before; where another process is at it, it comes last."""
        held = self._each(work, [place for place in places if place not in self.failed], wait=False)
        for place in held:
            print(f"{place[0]} seed {place[1]}: another process is at it, waiting")
        self._each(work, held, wait=True)

    def _each(self, work: Work, places: list[Place], wait: bool) -> list[Place]:
        """Return the places that another process is at."""
        held = []
        with closing(self.course(work, places, wait)) as outcomes:
            for place, outcome in outcomes:
                try:
                    outcome()
                except Timeout:
                    held.append(place)
                except (InterruptedRun, FullDiskError):  # on a full disk no other can be written either
                    raise
                except Exception as error:
                    if not self.keep_going:
                        raise
                    self._fail(place, error)
        return held

    def _fail(self, place: Place, error: Exception) -> None:
        if not isinstance(error, BenchmarkError):
            traceback.print_exception(error)
        name, said = f"{place[0]} seed {place[1]}", sentence(error)
        self.failed[place] = said if said.startswith(name) else f"{name}: {said}"
        print(f"{self.failed[place]}; going on with the others", file=sys.stderr)
