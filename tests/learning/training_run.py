"""Training runs of `ours` for real: data, judges and the warm start are made once, and every run starts from a copy.

Test processes that go side by side share them: each makes what no other is making, and waits for the rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest
from filelock import Timeout

from benchmark.config import settings
from benchmark.config.settings import override
from benchmark.environment import use_threads
from benchmark.execution import tasks
from benchmark.execution.tasks import Task, carry_out
from benchmark.run.workspace import Run, locked
from benchmark.stages import validation
from benchmark.stages.pipeline import check_and_prepare
from tests.stages.small import copy
from tests.tools import PROJECT

TRAINED, JUDGED = 80, 16  # identities to train on, and to validate; the latter are all told apart at once
SETTINGS = {  # otherwise those of `quick`
    "models": ["ours"],
    "data.auxiliary": TRAINED + JUDGED,
    "data.validation": JUDGED / (TRAINED + JUDGED),
    "data.standard": 2,
    "data.rendered": {"identities": TRAINED + JUDGED + 2, "scarce": 0, "images": [22, 28], "size": 48, "seed": 0},
    "training.batch_size": 16,
    "training.images": 16 * 750,
    "training.refresh_batches": 20,
    "training.warm_up": {"steps": 750, "view_weight": 0.2},
    "extractor.epochs": 16,
    "extractor.view_epochs": 6,
    "evaluation.nc": [2],
    "fewshot.shots": [],
}


def prepared(folder: Path) -> Run:
    """Return a run in which everything but the model itself is made; `folder` is shared by all test processes."""
    run = Run(override(settings.profile("quick", PROJECT / "params.yaml"), SETTINGS), folder, folder / "results", "cpu")
    use_threads(run.settings.threads)
    with _working_in(folder.parent), locked(folder.with_suffix(".lock")):
        check_and_prepare(run)
    parts = [Task("judge", "identity"), Task("warm_start", "ours"), Task("judge", "view")]
    for wait in (False, True):
        for part in parts:
            with suppress(Timeout):  # another process makes it
                carry_out(run, part, wait)
    return run


def train_and_measure(run: Run, name: str) -> pd.DataFrame:
    """Train `ours` with the code as it is now, and return the identity table of the validation identities.

    Args:
        run: as `prepared` returns it, in which nothing is changed.
        name: of the training run, different for each, so that none finds the model of another.
    """
    with _working_in(run.folder.parent) as patch:
        patch.setattr(tasks, "VALIDATED", ("real",))  # the others are not looked at
        return validation.validate(copy(run, run.folder.with_name(name)), [JUDGED])


@contextmanager
def _working_in(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Make the folder, and work in it, where the pictures of the rendered cars are looked for."""
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield patch
