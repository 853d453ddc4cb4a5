"""Tables and figures from every finished measurement: the stage report."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.files import replacing, write_json, write_text
from benchmark.reporting import ablation, differences, fewshot, figures, tables
from benchmark.reporting.fewshot import Recognised
from benchmark.reporting.models import models_table
from benchmark.reporting.tables import Measured
from benchmark.reporting.views import views_table
from benchmark.stages import measured
from benchmark.stages.fewshot import FewShotMeasurement
from benchmark.stages.identity import SAMPLES, Measurement
from benchmark.stages.train import entry, spec, training_identities
from benchmark.workspace import Run

Metrics = dict[str, dict[str, dict[str, float]]]  # model -> measurement -> rate -> value


def report(run: Run) -> None:
    """Write `results/`: every model, seed, split and number of classes whose measurement is finished and up to date.

    The tables of `benchmark sensitivity` are removed: they are made from features that may have changed since.

    Raises:
        BenchmarkError: nothing is measured, or all of it is out of date.
    """
    measurement = Measurement(run)
    identities = measured.identities(measurement)
    if not identities:
        raise BenchmarkError(
            f"nothing is measured in {run.folder}, or all of it is out of date; run `benchmark run` or `dvc repro`"
        )
    recognised = measured.recognised(FewShotMeasurement(run)) if run.settings.fewshot.shots else []
    table = _write_identity(run, identities)
    accuracies = _write_fewshot(run, recognised)
    _write_metrics(tables.metrics(table), fewshot.metrics(accuracies), run.results / "metrics.json")
    names = [str(name) for name in table["model"].unique()]
    _write_models(measurement, [name for name in names if name not in OF_IDENTITY])
    figures.draw_all(table, run.results / "figures")
    _copy_samples(run, names)
    for kind in ("csv", "md"):
        (run.results / f"sensitivity.{kind}").unlink(missing_ok=True)


def _write_identity(run: Run, identities: list[Measured]) -> pd.DataFrame:
    """Write the tables of the identity measurement and return the main one."""
    results, table = run.results, tables.identity_table(identities, run.name)
    tables.write_csv(table, results / "identity.csv")
    write_text(results / "identity.md", tables.identity_markdown(table))
    write_text(results / "targets.md", tables.targets_markdown(table))
    tables.write_csv(ablation.table(table), results / "ablation.csv")
    write_text(results / "ablation.md", ablation.markdown(ablation.table(table)))
    tables.write_csv(views_table(identities, run.settings.data.views, run.name), results / "views.csv")
    keys = differences.IDENTITY_KEYS
    apart = differences.differences_table(differences.identity_families(identities), keys, run.name)
    tables.write_csv(apart, results / "differences.csv")
    write_text(results / "differences.md", differences.markdown(apart, keys))
    ordered = sorted(identities, key=lambda each: (each.model, each.split, each.nc))
    _write_outcomes(map(_generated, ordered), results / "outcomes.parquet")
    return table


def _write_fewshot(run: Run, recognised: list[Recognised]) -> pd.DataFrame:
    """Write the few-shot tables and return the main one."""
    results, settings, keys = run.results, run.settings.fewshot, fewshot.FAMILY
    table = fewshot.fewshot_table(recognised, settings, run.name)
    tables.write_csv(table, results / "fewshot.csv")
    write_text(results / "fewshot.md", fewshot.fewshot_markdown(table, settings))
    families = fewshot.families(recognised, settings)
    apart = differences.differences_table(families, keys, run.name, first=[fewshot.START])
    tables.write_csv(apart, results / "fewshot_differences.csv")
    write_text(results / "fewshot_differences.md", differences.markdown(apart, keys))
    return table


def _write_metrics(identity: Metrics, recognised: Metrics, path: Path) -> None:
    names = {**identity, **recognised}
    write_json(path, {name: {**identity.get(name, {}), **recognised.get(name, {})} for name in names})


def _generated(each: Measured) -> pd.DataFrame:
    rows = each.outcomes.sort_values(["seed", "draw", "image", "target"])
    return rows.assign(model=each.model, split=each.split, nc=each.nc)


def _write_outcomes(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write outcomes one measurement at a time, without a second copy of all of them in memory."""
    made = (pa.Table.from_pandas(part, preserve_index=False) for part in parts)
    first = next(made)
    with replacing(path) as temporary, ParquetWriter(temporary, first.schema) as writer:
        writer.write_table(first)
        for part in made:
            writer.write_table(part)


def _write_models(measurement: Measurement, names: list[str]) -> None:
    """Write what the measured models are, and how large."""
    run = measurement.run
    base = spec(run, training_identities(measurement.store))
    tables.write_csv(models_table([entry(run, name) for name in names], base), run.results / "models.csv")


def _copy_samples(run: Run, names: list[str]) -> None:
    """Copy the grids of inputs and views, and remove those of models that are no longer there."""
    for old in (run.results / "figures").glob("samples_*.png"):
        old.unlink()
    for name in names:
        source = run.folder / "identity" / name / "seed0" / "outputs" / SAMPLES
        if source.exists():
            with replacing(run.results / "figures" / f"samples_{name}.png") as temporary:
                shutil.copyfile(source, temporary)
