"""All stages in their order, as `benchmark run` does them."""

from collections.abc import Mapping
from concurrent.futures import wait
from functools import partial

from benchmark import sources
from benchmark.environment import open_fabric
from benchmark.stages import extractor, warm_start
from benchmark.stages.apart import train_apart, training
from benchmark.stages.attempts import Attempts, Place, Task, here
from benchmark.stages.building import check
from benchmark.stages.collect import collect
from benchmark.stages.crew import Crew
from benchmark.stages.data import check_nc, filter_images, open_store, prepare, split
from benchmark.stages.extractor import train_extractor, train_extractors
from benchmark.stages.fewshot import check_skipped, measure_fewshot
from benchmark.stages.identity import measure_identity
from benchmark.stages.report import report
from benchmark.stages.train import train
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
            failed = _make_everything(run, Attempts(keep_going, course=crew.side_by_side), crew)
    with run.lock("results"):
        collect(run)
        report(run)
    return list(failed.values())


def _make_everything(run: Run, attempts: Attempts, crew: Crew | None = None) -> Mapping[Place, str]:
    """Train and measure; returns what failed, and why, in words."""
    train_everything(run, attempts, crew)
    place = crew.place if crew else here
    recognition = attempts.branch()  # needs a training, and nothing of the identity measurement
    measure_identity(run, attempts, place)
    measure_fewshot(run, recognition, place)
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


def train_everything(run: Run, attempts: Attempts, crew: Crew | None = None) -> None:
    """Train the networks of the measurement, and the run's models with all seeds.

    Without a crew one after the other, in this process, or each training of a model in a process of its own if the
    others are to go on. The workers of a crew first make the warm starts, for which models wait; all else needs only
    a free worker.
    """
    places = [(model, seed) for model in run.settings.models for seed in range(run.settings.seeds)]
    if crew is None:
        train_extractors(run)
        attempts.each(partial(train_apart if attempts.keep_going else train, run), places)
        return
    store, device = open_store(run), open_fabric(run.device).device.type
    first = [(model, seed) for model in warm_start.networks(run).values() for seed in range(run.settings.seeds)]
    warm_starts = Task(
        "warm_starts",
        partial(warm_start.make, run),
        lambda model, seed: [cell for cell in (warm_start.cell(run, model, seed, store, device),) if cell],
    )
    judges = Task(
        "extractors", partial(train_extractor, run), lambda name, _: [extractor.cell(run, name, store, device)]
    )
    warm = crew.begin(warm_starts, first)
    judging = crew.begin(judges, [(name, 0) for name in extractor.LABELS])
    wait(warm)  # one that fails is tried again, and then reported, by the models that need it
    attempts.each(crew.place(training(run)), places)
    for judge in judging:
        judge.result()
