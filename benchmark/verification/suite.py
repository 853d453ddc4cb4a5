"""All checks by name, made one after the other."""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.verification import building, generating, training
from benchmark.verification.outcome import Outcome, outcome
from benchmark.verification.trial import Trial
from models.registry import Entry

CHECKS: dict[str, Callable[[Trial], None]] = {
    "building": building.building,
    "description": building.description,
    "map": building.connection_map,
    "size": building.size,
    "warm start": building.warm_start,
    "training": training.training,
    "losses": training.losses,
    "images": training.images,
    "gradients": training.gradients,
    "resuming": training.resuming,
    "output": generating.output,
    "repeatability": generating.repeatability,
    "input image": generating.input_image,
    "batches": generating.batches,
    "interpolation": generating.interpolation,
    "weights": generating.weights,
    "critics": generating.critics,
}


def verify(entries: Iterable[Entry]) -> bool:
    """Check models and print a line for every check; return whether all are in order."""
    failed = [entry.name for entry in entries if not _verify(entry)]
    if failed:
        print(f"\nnot in order: {', '.join(failed)}")
    return not failed


def _verify(entry: Entry) -> bool:
    print(f"{entry.name}:")
    with TemporaryDirectory() as folder:
        trial = Trial(entry, Path(folder))
        found = [_reported(name, outcome(check, trial)) for name, check in CHECKS.items()]
    counts = {state: sum(one.state == state for one in found) for state in ("FAIL", "skip")}
    said = {"FAIL": "failed", "skip": "skipped"}
    wrong = ", ".join(f"{counts[state]} {said[state]}" for state in said if counts[state])
    print(f"{entry.name}: {len(found)} checks, {wrong or 'all in order'}")
    return not counts["FAIL"]


def _reported(name: str, found: Outcome) -> Outcome:
    print(f"{found.state:4} {name}{': ' if found.sentence else ''}{found.sentence}", flush=True)
    return found
