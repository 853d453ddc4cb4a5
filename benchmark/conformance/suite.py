"""All checks by name, made one after the other, and what each ends with in one sentence, whatever the model raises."""

import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.conformance import checks
from benchmark.conformance.trial import FailedCheck, SkippedCheck, Trial
from benchmark.errors import BenchmarkError
from models import registry
from models.registry import Entry, UnknownModelError

CHECKS: dict[str, Callable[[Trial], None]] = {
    "building": checks.building,
    "description": checks.description,
    "map": checks.connection_map,
    "size": checks.size,
    "warm start": checks.warm_start,
    "training": checks.training,
    "losses": checks.losses,
    "images": checks.images,
    "gradients": checks.gradients,
    "resuming": checks.resuming,
    "output": checks.output,
    "repeatability": checks.repeatability,
    "input image": checks.input_image,
    "batches": checks.batches,
    "interpolation": checks.interpolation,
    "weights": checks.weights,
    "training only": checks.training_only,
}
MODELS = Path(registry.__file__).parent
LONGEST = 300  # characters of another's error message


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check: `ok`, `FAIL` or `skip`, and why."""

    state: str
    sentence: str = ""


def verify(entries: Iterable[Entry]) -> bool:
    """Check models and print a line for every check; return whether all are in order."""
    failed = []
    for entry in entries:
        print(f"{entry.name}:")
        states = []
        with TemporaryDirectory() as folder:
            trial = Trial(entry, Path(folder))
            for name, check in CHECKS.items():
                found = outcome(check, trial)
                print(f"{found.state:4} {name}{': ' if found.sentence else ''}{found.sentence}", flush=True)
                states.append(found.state)
        counts = {"failed": states.count("FAIL"), "skipped": states.count("skip")}
        wrong = ", ".join(f"{count} {said}" for said, count in counts.items() if count)
        print(f"{entry.name}: {len(states)} checks, {wrong or 'all in order'}")
        if counts["failed"]:
            failed.append(entry.name)
    if failed:
        print(f"\nnot in order: {', '.join(failed)}")
    return not failed


def outcome(check: Callable[[Trial], None], trial: Trial) -> Outcome:
    """Make a check; nothing that the model raises gets through."""
    try:
        check(trial)
    except SkippedCheck as skipped:
        return Outcome("skip", str(skipped))
    except FailedCheck as failed:
        return Outcome("FAIL", str(failed))
    except (Exception, SystemExit) as error:
        return Outcome("FAIL", _reason(error, trial.entry))
    return Outcome("ok")


def _reason(error: BaseException, entry: Entry) -> str:
    """Return one sentence for an exception: type, message, and the innermost line of the model's file or `models/`."""
    text = " ".join(str(error).split())
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    kind = type(error).__name__
    named = short if isinstance(error, BenchmarkError | UnknownModelError) else f"{kind}: {short}" if short else kind
    files: set[str] = set()
    with suppress(UnknownModelError, ImportError):  # the file itself may be missing
        files = {str(path) for path in entry.sources}
    causes = [error, error.__cause__] if error.__cause__ else [error]
    frames = [frame for cause in causes for frame in traceback.extract_tb(cause.__traceback__)]
    own = [frame for frame in frames if frame.filename in files]
    shared = [frame for frame in frames if Path(frame.filename).parent.is_relative_to(MODELS)]
    found = own or [frame for frame in shared if frame.filename != registry.__file__]
    if isinstance(error, NotImplementedError) and shared and Path(shared[-1].filename).name == "interface.py":
        return f"{shared[-1].name} is not defined; ViewModel leaves it to the model"
    return f"{named} ({Path(found[-1].filename).name}:{found[-1].lineno} in {found[-1].name})" if found else named
