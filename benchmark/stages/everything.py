"""All stages in their order, as `benchmark run` does them."""

from benchmark.environment import open_fabric
from benchmark.stages.collect import collect
from benchmark.stages.data import check_nc, filter_images, prepare, split
from benchmark.stages.extractor import train_extractors
from benchmark.stages.fewshot import check_skipped, measure_fewshot
from benchmark.stages.identity import measure_identity
from benchmark.stages.report import report
from benchmark.stages.train import check, train
from benchmark.workspace import Run


def run_everything(run: Run) -> None:
    """Do every stage for the run's models and seeds; what can be checked is checked before anything starts."""
    open_fabric(run.device)
    for model in run.settings.models:
        check(run, model)
    check_skipped(run)
    standard = run.settings.data.standard
    if isinstance(standard, int):  # otherwise the size is known after the split
        check_nc(run, standard)
    prepare(run)
    filter_images(run)
    split(run)
    train_extractors(run)
    for model in run.settings.models:
        for seed in range(run.settings.seeds):
            train(run, model, seed)
    measure_identity(run)
    measure_fewshot(run)
    collect(run)
    report(run)
