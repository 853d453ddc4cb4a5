"""How a stage is started: `python -m pipelines.<stage> <profile>`."""

import sys
from collections.abc import Callable

from benchmark import settings
from benchmark.errors import BenchmarkError
from benchmark.training.interruption import InterruptedRun
from benchmark.workspace import Run, open_run


def start(stage: Callable[[Run], None]) -> None:
    """Run `stage` on the profile named by the first argument; exit with 2 and one sentence on wrong input."""
    profile = sys.argv[1]
    try:
        stage(open_run(settings.profile(profile)))
    except BenchmarkError as error:
        sys.exit(_say(str(error), 2))
    except InterruptedRun as error:
        sys.exit(_say(str(error), 130))


def _say(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code
