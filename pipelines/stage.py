"""How a stage is started: `python -m pipelines.<stage> <profile>`."""

import sys
from collections.abc import Callable

from benchmark import settings
from benchmark.exits import clean_exit
from benchmark.workspace import Run, open_run


def start(stage: Callable[[Run], None]) -> None:
    """Run `stage` on the profile named by the first argument."""
    with clean_exit():
        stage(open_run(settings.profile(sys.argv[1])))
