"""All stages in their order, as `benchmark run` does them."""

from functools import partial

from benchmark import sources
from benchmark.environment import open_fabric
from benchmark.stages.apart import train_apart
from benchmark.stages.attempts import Attempts
from benchmark.stages.collect import collect
from benchmark.stages.data import check_nc, filter_images, prepare, split
from benchmark.stages.extractor import train_extractors
from benchmark.stages.fewshot import check_skipped, measure_fewshot
from benchmark.stages.identity import measure_identity
from benchmark.stages.report import report
from benchmark.stages.train import check, train
from benchmark.workspace import Run


def run_everything(run: Run, keep_going: bool = False) -> list[str]:
    """Do every stage for the run's models and seeds; what can be checked is checked before anything starts.

    Args:
        run: what is wanted.
        keep_going: whether the others go on when a training or measurement fails; each training then has a process of
            its own.

    Returns:
        What failed, and why, in words.
    """
    prepare_everything(run)
    attempts = Attempts(keep_going)
    train_everything(run, attempts)
    recognition = Attempts(keep_going, attempts.failed)  # needs a training, and nothing of the identity measurement
    measure_identity(run, attempts)
    measure_fewshot(run, recognition)
    with run.lock("results"):
        collect(run)
        report(run)
    return list((recognition.failed | attempts.failed).values())


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


def train_everything(run: Run, attempts: Attempts) -> None:
    """Train the networks of the measurement, and the run's models with all seeds."""
    train_extractors(run)
    places = [(model, seed) for model in run.settings.models for seed in range(run.settings.seeds)]
    attempts.each(partial(train_apart if attempts.keep_going else train, run), places)
