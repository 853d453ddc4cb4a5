"""All stages in their order, as `benchmark run` does them."""

from collections.abc import Callable, Mapping
from functools import partial

from benchmark import sources
from benchmark.environment import open_fabric
from benchmark.stages.apart import train_apart, training
from benchmark.stages.attempts import Attempts, Place, Task, Work, here
from benchmark.stages.collect import collect
from benchmark.stages.crew import Crew
from benchmark.stages.data import check_nc, filter_images, prepare, split
from benchmark.stages.extractor import train_extractors
from benchmark.stages.fewshot import check_skipped, measure_fewshot
from benchmark.stages.identity import measure_identity
from benchmark.stages.report import report
from benchmark.stages.train import check, train
from benchmark.workspace import Run


def run_everything(run: Run, keep_going: bool = False, jobs: int = 1) -> list[str]:
    """Do every stage for the run's models and seeds; what can be checked is checked before anything starts.

    Args:
        run: what is wanted.
        keep_going: whether the others go on when a training or measurement fails; each training then has a process of
            its own.
        jobs: how many trainings or measurements go on at once, each in a process of its own if it is not 1.

    Returns:
        What failed, and why, in words.
    """
    prepare_everything(run)
    if jobs == 1:
        failed = _make_everything(run, Attempts(keep_going))
    else:
        with Crew(run, jobs) as crew:
            failed = _make_everything(run, Attempts(keep_going, course=crew.side_by_side), crew.place)
    with run.lock("results"):
        collect(run)
        report(run)
    return list(failed.values())


def _make_everything(run: Run, attempts: Attempts, place: Callable[[Task], Work] | None = None) -> Mapping[Place, str]:
    """Train and measure; returns what failed, and why, in words."""
    train_everything(run, attempts, place)
    recognition = attempts.branch()  # needs a training, and nothing of the identity measurement
    measure_identity(run, attempts, place or here)
    measure_fewshot(run, recognition, place or here)
    return recognition.failed | attempts.failed


def prepare_everything(run: Run) -> None:
    """Check what can be checked, and do the stages of the data."""
    open_fabric(run.device)
    for model in run.settings.models:
        check(run, model)
    check_skipped(run)
    sources.remember()
    standard = run.settings.data.standard
    if isinstance(standard, int):  # otherwise the size is known after the split
        check_nc(run, standard)
    prepare(run)
    filter_images(run)
    split(run)


def train_everything(run: Run, attempts: Attempts, place: Callable[[Task], Work] | None = None) -> None:
    """Train the networks of the measurement, and the run's models with all seeds.

    `place` says where the models are trained: here, or each in a process of its own if the others are to go on.
    """
    train_extractors(run)
    places = [(model, seed) for model in run.settings.models for seed in range(run.settings.seeds)]
    if place:
        attempts.each(place(training(run)), places)
    else:
        attempts.each(partial(train_apart if attempts.keep_going else train, run), places)
