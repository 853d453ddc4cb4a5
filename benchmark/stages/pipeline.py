"""All stages in their order, as `benchmark run` does them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.data.image_store import STORE, ImageStore, open_store
from benchmark.environment import open_fabric
from benchmark.evaluation import episodes
from benchmark.execution import tasks
from benchmark.execution.scheduler import carry_out_all
from benchmark.execution.stages import check_skipped
from benchmark.making import building
from benchmark.run import runs, sources
from benchmark.run.workspace import Run
from benchmark.stages import archive
from benchmark.stages.collect import collect
from benchmark.stages.data import check_nc, filter_images, prepare, preview, split
from benchmark.stages.report import report

if TYPE_CHECKING:
    from benchmark.execution.cluster import Cluster


def run_everything(
    run: Run,
    keep_going: bool = False,
    jobs: int = 1,
    cluster: "Cluster | None" = None,
    resume_from: Path | None = None,
) -> list[str]:
    """Do every stage for the run's models and seeds; what can be checked is checked before anything starts.

    Args:
        run: what is wanted.
        keep_going: whether the others continue when a task fails; each then has a process of its own.
        jobs: how many tasks are carried out at once, each in a process of its own if it is not 1.
        cluster: where the tasks are carried out; default: on this machine.
        resume_from: results whose archives hold what is done already, see `archive`.

    Returns:
        What failed, and why, in words.
    """
    run = check_and_prepare(run, here=cluster is None)
    if resume_from:
        print(f"{resume_from}: {archive.restore(run, resume_from)} archives restored", flush=True)
    to_train = run.settings.data.own and not all(tasks.done(run, task) for task in tasks.training(run))
    if to_train and cluster is None and not keep_going:  # a model that fails must not take the others with it
        from benchmark.stages.estimate import estimate

        try:
            print(*estimate(run, open_store(run), made=True), sep="\n", flush=True)
        except Exception as error:  # its training run tells and records what is wrong
            print(f"no estimate of the time: {type(error).__name__}", flush=True)
    failed = carry_out_all(run, tasks.everything(run), jobs, keep_going, cluster)
    with run.lock("results"):
        collect(run)
        report(run)
    return list(failed.values())


def check(run: Run, here: bool = True) -> None:
    """Check what can be checked without the data; `here` is whether the device of this host is to be used."""
    if here:
        open_fabric(run.device)
    for model in run.settings.models:
        building.check(run, model)
    check_skipped(run)
    sources.remember()
    standard = run.settings.data.standard
    if isinstance(standard, int) and not run.settings.data.own:  # otherwise the size is known after the split
        check_nc(run, standard)


def check_and_prepare(run: Run, here: bool = True) -> Run:
    """Check what can be checked, see `check`, and do the stages of the data.

    Returns:
        The run, without few-shot recognition if its images do not allow any.
    """
    check(run, here)
    prepare(run)
    if run.name != run.settings.name:  # that of a profile has its settings in params.yaml
        runs.store(run)
    filter_images(run)
    split(run)
    return _allowed(run, open_store(run).manifest)


def _allowed(run: Run, assigned: pd.DataFrame) -> Run:
    """Return the run without few-shot recognition where no number of shots is possible with its images."""
    settings = run.settings.fewshot
    if not settings.shots or episodes.possible(assigned, settings.ways, settings.shots)[1]:
        return run
    without = settings.model_copy(update={"shots": ()})
    return replace(run, settings=run.settings.model_copy(update={"fewshot": without}))


def prepare_alone(run: Run, dry: bool = False, timed: bool = True) -> Iterator[str]:
    """Do the stages of the data and nothing else, and yield what a run would take.

    Args:
        run: what would be wanted.
        dry: whether nothing is written into the run's folder; the estimate then rests on random images.
        timed: whether there is an estimate.
    """
    if dry:
        check(run)
        store = ImageStore(run.data / STORE, preview(run))
        run = _allowed(run, store.manifest)
    else:
        run = check_and_prepare(run)
        store = open_store(run)
    if timed:
        from benchmark.stages.estimate import estimate

        yield from estimate(run, store, made=not dry)
