"""Shared by the tests of training."""

from itertools import count

import pytest

from benchmark.training import loop


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes from one reading of the loop's clock to the next: one in each cycle, one more when saved.

    Checkpoints that are three seconds apart are then three cycles apart.
    """
    seconds = count()
    monkeypatch.setattr(loop, "monotonic", lambda: next(seconds))
