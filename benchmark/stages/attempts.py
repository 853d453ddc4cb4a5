"""Doing many cells: shared between processes, and, if wanted, going on when one fails."""

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from filelock import Timeout

from benchmark.cells import sentence
from benchmark.errors import BenchmarkError, FullDiskError, InterruptedRun

Place = tuple[str, int]  # a model or control, and a training seed
Work = Callable[[str, int, bool], None]  # model, seed, whether to wait for a process that is at the same; else Timeout

NOTHING: Mapping[Place, str] = MappingProxyType({})


class Attempts:
    """What was tried, and what became of it.

    Attributes:
        keep_going: whether the others go on when one fails.
        failed: what failed, and why in words.
    """

    def __init__(self, keep_going: bool = False, failed: Mapping[Place, str] = NOTHING) -> None:
        self.keep_going = keep_going
        self.failed = dict(failed)

    def each(self, work: Work, places: Iterable[Place]) -> None:
        """Do `work` for every place that has not failed before; where another process is at it, it comes last."""
        wanted = [place for place in places if place not in self.failed]
        held = [place for place in wanted if not self._free(work, place)]
        for place in held:
            print(f"{place[0]} seed {place[1]}: another process is at it, waiting")
            self._try(work, place, wait=True)

    def _free(self, work: Work, place: Place) -> bool:
        try:
            self._try(work, place, wait=False)
        except Timeout:
            return False
        return True

    def _try(self, work: Work, place: Place, wait: bool) -> None:
        try:
            work(*place, wait)
        except (Timeout, InterruptedRun, FullDiskError):  # on a full disk no other can be written either
            raise
        except Exception as error:
            if not self.keep_going:
                raise
            self._fail(place, error)

    def _fail(self, place: Place, error: Exception) -> None:
        if not isinstance(error, BenchmarkError):
            traceback.print_exception(error)
        name, said = f"{place[0]} seed {place[1]}", sentence(error)
        self.failed[place] = said if said.startswith(name) else f"{name}: {said}"
        print(f"{self.failed[place]}; going on with the others", file=sys.stderr)
