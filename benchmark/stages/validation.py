"""Measuring models on validation identities: choices that never look at the standard set."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from benchmark.config.settings import Profile
from benchmark.data import held_out
from benchmark.data.image_store import open_store
from benchmark.data.splitting import LEAST
from benchmark.errors import BenchmarkError
from benchmark.evaluation.draws import measurable
from benchmark.execution import tasks
from benchmark.execution.scheduler import carry_out_all
from benchmark.reporting.tables import identity_table
from benchmark.run import runs
from benchmark.run.workspace import Run
from benchmark.stages.collect import measured
from benchmark.stages.pipeline import check_and_prepare


def validate(run: Run, nc: Sequence[int] = ()) -> pd.DataFrame:
    """Train what is not trained yet, and measure controls and models on the validation identities.

    Args:
        run: with the models and training seeds. What is measured is kept beside what is measured on the standard set.
        nc: numbers of classes; by default those of the run for which there are enough, or else all there are.

    Returns:
        The table of `tables.identity_table`.

    Raises:
        BenchmarkError: there are too few validation identities.
    """
    settings = run.settings
    no_fewshot = settings.fewshot.model_copy(update={"shots": ()})
    try:  # nothing here asks for many identities of the standard set
        check_and_prepare(_with_sizes(replace(run, settings=settings.model_copy(update={"fewshot": no_fewshot})), ()))
    finally:
        if runs.is_stored(run.name):  # with its own settings, not with those that ask for less
            runs.store(run)
    manifest = held_out.of_validation(open_store(run)).manifest
    available = manifest.loc[manifest["split"] == "standard", "identity"].nunique()
    wanted = _with_sizes(run, _sizes(settings, nc, available))
    print(measurable(manifest, wanted.settings.evaluation.nc)[1])
    carry_out_all(wanted, {**tasks.training(wanted), **tasks.measuring(wanted, "validation")})
    sizes, names = wanted.settings.evaluation.nc, {*tasks.VALIDATED, *settings.models}
    found = [each for each in measured(wanted, [], "validation") if each.nc in sizes and each.model in names]
    return identity_table(found, f"{run.name}, {available} validation identities")


def _with_sizes(run: Run, sizes: Sequence[int]) -> Run:
    evaluation = run.settings.evaluation.model_copy(update={"nc": tuple(sizes)})
    return replace(run, settings=run.settings.model_copy(update={"evaluation": evaluation}))


def _sizes(settings: Profile, wanted: Sequence[int], available: int) -> list[int]:
    """Return the numbers of classes to measure with."""
    share = settings.data.validation
    more = f"keep {'more' if share else 'some'} from training by --set data.validation=SHARE, now {share}"
    if available < LEAST:
        raise BenchmarkError(f"validation needs {LEAST} identities and has {available}; {more}")
    if wanted and max(wanted) > available:
        raise BenchmarkError(
            f"N_c = {max(wanted)} is more than the {available} validation identities; choose at most {available} by "
            f"--nc, or {more}"
        )
    return sorted(set(wanted)) or [nc for nc in settings.evaluation.nc if nc <= available] or [available]
