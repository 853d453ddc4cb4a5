"""A small run, made in forked processes that need not import anything again."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmark.config import settings
from benchmark.config.settings import override, with_dataset
from benchmark.exits import clean_exit
from benchmark.reporting import render
from benchmark.run.sources import PROJECT
from benchmark.run.workspace import Run
from benchmark.stages.pipeline import run_everything
from benchmark.training.sampling import AuxiliaryBatches
from models.interface import Batch

FEWER = {
    "models": ["tiny", "two_step"],
    "data.views": ["left", "front_left", "front"],
    "data.minimum_images": 2,
    "data.auxiliary": 4,
    "data.standard": 3,
    "seeds": 1,
    "training.images": 96,
    "training.checkpoint_minutes": 0.0,
    "training.log_every": 1,
    "training.batch_size": 8,
    "training.width": 0.0625,
    "evaluation.nc": [2],
    "evaluation.draws": 1,
    "fewshot.ways": 2,
    "fewshot.shots": [2],
    "fewshot.controls": ["no_augmentation"],
    "fewshot.skip": ["two_step"],
}
TINY = PROJECT / "tests" / "tiny.py"  # a plug-in
PATIENCE = 300  # seconds
Prepare = Callable[[], None]


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Project:
    """A folder in which the small run over some pictures is made.

    Attributes:
        folder: holds `runs` and `results`.
        pictures: the data set, a folder with `labels.csv`; default: the smallest of rendered cars.
        figures: whether to draw them, which takes seconds each time.
        changes: settings besides FEWER.
    """

    folder: Path
    pictures: Path | None = None
    figures: bool = False
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def run(self) -> Run:
        """The run, its paths relative to the folder."""
        base, changes = settings.profile("smoke", PROJECT / "params.yaml"), {**FEWER, **dict(self.changes)}
        if self.pictures:
            base = with_dataset(base, "table")
            places = {"data.root": str(self.pictures), "data.annotations": str(self.pictures / "labels.csv")}
            changes |= places
        return Run(override(base, changes), Path("runs") / "small", Path("results"), "cpu", (TINY,))

    def make(self, before: Prepare = nothing, kill_after: float | None = None) -> tuple[int, str]:
        """Make the run, or resume it, in a process of its own.

        Args:
            before: what to call in the process before the run.
            kill_after: seconds; without it, a run that takes longer than PATIENCE is an error.

        Returns:
            The exit code, and what the process said on stderr.
        """
        said = self.folder.with_name(f"{self.folder.name}.txt")
        process = multiprocessing.get_context("fork").Process(target=self._make, args=(before, said))
        process.start()
        process.join(kill_after or PATIENCE)
        hangs = kill_after is None and process.is_alive()
        process.kill()
        process.join()
        if hangs or process.exitcode is None:
            raise RuntimeError(f"the run in {self.folder} hangs")
        return process.exitcode, said.read_text(encoding="utf-8") if said.exists() else ""

    def _make(self, before: Prepare, said: Path) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with said.open("w", encoding="utf-8") as stderr, redirect_stderr(stderr), clean_exit():
            before()
            self.make_here()

    def make_here(self) -> None:
        """Make the run in this process, whose children then need not import or read anything again."""
        with ExitStack() as stack:
            stack.enter_context(redirect_stdout(None))
            stack.enter_context(chdir(self.folder))
            if not self.figures:
                stack.enter_context(patch.object(render, "draw_all", lambda *arguments: []))
            run_everything(self.run)


def signal_at_draw(number: signal.Signals, draw: int) -> Prepare:
    """Return what makes the process send itself a signal when it draws its n-th batch."""
    return partial(_at_draw, draw, partial(signal.raise_signal, number))


def _at_draw(draw: int, what: Callable[[], object]) -> None:
    left, drawn = [draw], AuxiliaryBatches.draw

    def disturbed(self: AuxiliaryBatches) -> Batch:
        left[0] -= 1
        if left[0] == 0:
            what()
        return drawn(self)

    AuxiliaryBatches.draw = disturbed  # type: ignore[method-assign]


def killed_after_draw(draw: int, seconds: float) -> Prepare:
    """Return what makes the kernel end the process by SIGALRM, some time after it has drawn its n-th batch."""
    return partial(_at_draw, draw, partial(signal.setitimer, signal.ITIMER_REAL, seconds))
