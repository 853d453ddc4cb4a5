"""How a check ends, in one sentence, whatever the model raises."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.verification.expectation import FailedCheck, SkippedCheck
from benchmark.verification.trial import Trial
from models import registry
from models.registry import Entry, UnknownModelError

MODELS = Path(registry.__file__).parent
LONGEST = 300  # characters of another's error message


@dataclass(frozen=True)
class Outcome:
    """What a check ended with: `ok`, `FAIL` or `skip`, and why."""

    state: str
    sentence: str = ""


def outcome(check: Callable[[Trial], None], trial: Trial) -> Outcome:
    """Make a check; nothing that the model raises gets through."""
    try:
        check(trial)
    except SkippedCheck as skipped:
        return Outcome("skip", str(skipped))
    except (Exception, SystemExit) as error:
        return Outcome("FAIL", reason(error, trial.entry))
    return Outcome("ok")


def reason(error: BaseException, entry: Entry) -> str:
    """Return one sentence for an exception: the type, the message, and the line of the model's code."""
    if isinstance(error, FailedCheck):
        return str(error)
    text = " ".join(str(error).split())
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    kind = type(error).__name__
    named = short if isinstance(error, BenchmarkError | UnknownModelError) else f"{kind}: {short}" if short else kind
    place = _place(error, entry)
    return f"{named} ({place})" if place else named


def _place(error: BaseException, entry: Entry) -> str:
    """Return where the innermost call in the model's own file is, else in `models/`; empty if there is none."""
    causes = [error, error.__cause__] if error.__cause__ else [error]
    frames = [frame for cause in causes for frame in traceback.extract_tb(cause.__traceback__)]
    own = [frame for frame in frames if frame.filename in _own(entry)]
    shared = [frame for frame in frames if Path(frame.filename).parent.is_relative_to(MODELS)]
    found = own or [frame for frame in shared if frame.filename != registry.__file__]
    return f"{Path(found[-1].filename).name}:{found[-1].lineno} in {found[-1].name}" if found else ""


def _own(entry: Entry) -> set[str]:
    with suppress(UnknownModelError, ImportError):  # the file itself may be missing
        return {str(path) for path in entry.sources}
    return set()
