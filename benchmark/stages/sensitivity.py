"""How far the identity measurement depends on the number of neighbours and on the distance."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from benchmark.errors import BenchmarkError
from benchmark.evaluation.identity import class_codes, draw_ranks
from benchmark.evaluation.outputs import Outputs
from benchmark.evaluation.rates import recognised
from benchmark.files import write_text
from benchmark.reporting import sensitivity as reporting
from benchmark.reporting.sheets import markdown
from benchmark.results.rows import write_csv
from benchmark.stages import measured
from benchmark.stages.identity import Measurement
from benchmark.workspace import Run

NEIGHBOURS = (1, 5, 10, 20)
METRICS = ("euclidean", "cosine")


def sensitivity(run: Run, models: Sequence[str] = ()) -> None:
    """Write `sensitivity.csv` and `.md` from the stored features.

    The profile's own number of neighbours is a setting too. Nothing is trained or generated.

    Args:
        run: the run, with the numbers of classes.
        models: which models stand beside the controls; every measured one if left out.

    Raises:
        BenchmarkError: nothing is measured, or all of it is out of date.
    """
    measurement = Measurement(run)
    own = run.settings.evaluation.neighbours
    names = [*measurement.controls(), *models] if models else measured.names(run, "identity")
    found = [rates for name in names for rates in _rates(measurement, name, sorted({*NEIGHBOURS, own}))]
    if not found:
        raise BenchmarkError(
            f"nothing is measured in {run.folder}, or all of it is out of date; run `benchmark run` or `dvc repro`"
        )
    table = reporting.sensitivity_table(pd.concat(found), run.name)
    write_csv(table, run.results / "sensitivity.csv")
    write_text(run.results / "sensitivity.md", markdown(reporting.sheet(table, own)))


def _rates(measurement: Measurement, name: str, neighbours: list[int]) -> Iterator[pd.DataFrame]:
    """Yield the rates of each training seed whose features are stored and up to date."""
    seeds = sorted(seed for seed, _ in measured.numbered(measurement.run.folder / "identity" / name, "seed"))
    current = [seed for seed in seeds if measurement.is_described("real", 0) and measurement.is_described(name, seed)]
    if not current:
        print(f"{name}: left out, not measured or out of date; measure it to have it in the table")
    for seed in current:
        print(f"{name} seed {seed}: K {', '.join(map(str, neighbours))}, {' and '.join(METRICS)}")
        real, generated = measurement.outputs("real", 0), measurement.outputs(name, seed)
        for split, nc in measurement.measurable:
            rates = _of_settings(measurement, nc, split, real, generated, neighbours)
            yield rates.assign(model=name, seed=seed, split=split, nc=nc)


def _of_settings(
    measurement: Measurement, nc: int, split: str, real: Outputs, generated: Outputs, neighbours: list[int]
) -> pd.DataFrame:
    """Return top1 and top5 for each number of neighbours and each metric, over all draws."""
    draws, codes = list(measurement.draws(nc, split)), class_codes(measurement.store.manifest)
    rows = []
    for metric in METRICS:
        ranks = np.concatenate([draw_ranks(each, codes, real, generated, neighbours, metric) for each in draws])
        for k, rank in zip(neighbours, ranks.T, strict=True):
            right = recognised(pd.Series(rank), nc).mean()
            rows.append({"neighbours": k, "metric": metric, **right, "n_draws": len(draws)})
    return pd.DataFrame(rows)
