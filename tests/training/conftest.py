"""What the tests of training share."""

from itertools import count

import pytest

from benchmark.training import loop


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes between any two looks of the training loop at its clock: one in each cycle, one more when saved.

    Checkpoints that are three seconds apart are then three cycles apart.
    """
    seconds = count()
    monkeypatch.setattr(loop, "monotonic", lambda: next(seconds))
