"""Tables and figures from every finished measurement: the stage report."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from benchmark.errors import BenchmarkError
from benchmark.evaluation import augmentation, turners
from benchmark.evaluation.draws import SPLITS, usable
from benchmark.files import reading, replacing, write_json, write_text
from benchmark.reporting import ablation, differences, fewshot, figures, tables
from benchmark.reporting.fewshot import Recognised
from benchmark.reporting.models import models_table
from benchmark.reporting.tables import Measured, Trained
from benchmark.reporting.views import views_table
from benchmark.stages.fewshot import OUTCOMES as FEWSHOT_OUTCOMES
from benchmark.stages.fewshot import FewShot
from benchmark.stages.identity import OUTCOMES, SAMPLES, Measurement
from benchmark.stages.train import entry, spec, training_identities
from benchmark.workspace import Run

Metrics = dict[str, dict[str, dict[str, float]]]  # model -> measurement -> rate -> value


def report(run: Run) -> None:
    """Write `results/`: every model, seed, split and number of classes whose measurement is finished and up to date.

    Raises:
        BenchmarkError: nothing is measured yet.
    """
    measurement = Measurement(run)
    measured = [each for name in _names(run, "identity") for each in _measured(measurement, name)]
    if not measured:
        raise BenchmarkError(f"nothing is measured in {run.folder} yet; run `benchmark run` or `dvc repro`")
    table = tables.identity_table(measured, run.name)
    tables.write_csv(table, run.results / "identity.csv")
    write_text(run.results / "identity.md", tables.identity_markdown(table))
    write_text(run.results / "targets.md", tables.targets_markdown(table))
    tables.write_csv(ablation.table(table), run.results / "ablation.csv")
    write_text(run.results / "ablation.md", ablation.markdown(ablation.table(table)))
    tables.write_csv(views_table(measured, run.settings.data.views, run.name), run.results / "views.csv")
    _write_differences(run, measured)
    _write_outcomes(measured, run.results / "outcomes.parquet")
    recognised = _write_fewshot(run)
    _write_metrics(tables.metrics(table), fewshot.metrics(recognised), run.results / "metrics.json")
    figures.draw_all(table, run.results / "figures")
    _write_models(measurement, [str(name) for name in table["model"].unique() if name not in turners.CONTROLS])
    for old in (run.results / "figures").glob("samples_*.png"):
        old.unlink()
    for name in table["model"].unique():
        _copy_samples(run, str(name))


def _names(run: Run, measurement: str) -> list[str]:
    """Return the controls and models that have results of a measurement in this run and can still be found."""
    present = {path.parent.name for path in (run.folder / measurement).glob("*/seed*")}
    controls = {*turners.CONTROLS, *augmentation.CONTROLS}
    return [name for name in sorted(present) if name in controls or _known(run, name)]


def _known(run: Run, name: str) -> bool:
    try:
        entry(run, name)
    except BenchmarkError:
        print(f"{name}: left out of the tables, there is no such model any more")
        return False
    return True


def _measured(measurement: Measurement, name: str) -> list[Measured]:
    """Return the finished, up-to-date measurements of a model, one for each split and N_c, its seeds put together."""
    found: dict[tuple[str, int], list[pd.DataFrame]] = {}
    seeds: list[int] = []
    for folder in sorted((measurement.run.folder / "identity" / name).glob("seed*/*/nc*")):
        seed, split = int(folder.parts[-3].removeprefix("seed")), folder.parts[-2]
        nc = int(folder.name.removeprefix("nc"))
        if not measurement.is_current(name, seed, nc, split):
            print(
                f"{name} seed {seed}, {split} split, N_c {nc}: left out of the tables, out of date; "
                "measure it again to have it back"
            )
            continue
        seeds.append(seed)
        with reading(folder / OUTCOMES):
            found.setdefault((split, nc), []).append(pd.read_parquet(folder / OUTCOMES).assign(seed=seed))
    trained = _terms(measurement.record(name, seeds[0])) if seeds else Trained()
    left_out = _left_out(measurement.store.manifest)
    return [
        Measured(name, trained, split, nc, pd.concat(parts, ignore_index=True), left_out[split])
        for (split, nc), parts in found.items()
    ]


def _left_out(manifest: pd.DataFrame) -> dict[str, int]:
    """Return how many standard identities each split cannot use."""
    standard = manifest.loc[manifest["split"] == "standard", "identity"].nunique()
    return {split: standard - len(usable(manifest, split)) for split in SPLITS}


def _terms(record: dict[str, Any]) -> Trained:
    """Return on which terms a model was trained, from the record of its training."""
    if not record:
        return Trained()
    batch_size = record["fingerprint"]["spec"]["batch_size"]
    return Trained(record["map"], record["parameters"], record["images"], batch_size, record["auxiliary_images"])


def _write_differences(run: Run, measured: list[Measured]) -> None:
    keys = differences.IDENTITY_KEYS
    table = differences.differences_table(differences.identity_families(measured), keys, run.name)
    tables.write_csv(table, run.results / "differences.csv")
    write_text(run.results / "differences.md", differences.markdown(table, keys))


def _write_metrics(identity: Metrics, recognised: Metrics, path: Path) -> None:
    names = {**identity, **recognised}
    write_json(path, {name: {**identity.get(name, {}), **recognised.get(name, {})} for name in names})


def _write_fewshot(run: Run) -> pd.DataFrame:
    """Write the few-shot tables and return the main one."""
    settings, keys = run.settings.fewshot, fewshot.FAMILY
    recognised = _recognised(run) if settings.shots else []
    table = fewshot.fewshot_table(recognised, settings, run.name)
    families = fewshot.families(recognised, settings)
    apart = differences.differences_table(families, keys, run.name, first=[fewshot.START])
    tables.write_csv(table, run.results / "fewshot.csv")
    tables.write_csv(apart, run.results / "fewshot_differences.csv")
    write_text(run.results / "fewshot.md", fewshot.fewshot_markdown(table, settings))
    write_text(run.results / "fewshot_differences.md", differences.markdown(apart, keys))
    return table


def _recognised(run: Run) -> list[Recognised]:
    """Return the finished, up-to-date few-shot measurements, the seeds of a model put together."""
    measurement, found = FewShot(run), []
    for name in _names(run, "fewshot"):
        parts = []
        for folder in sorted((run.folder / "fewshot" / name).glob("seed*")):
            seed = int(folder.name.removeprefix("seed"))
            if not measurement.is_current(name, seed):
                print(f"{name} seed {seed}, few-shot: left out of the tables, out of date; measure it again")
                continue
            with reading(folder / FEWSHOT_OUTCOMES):
                parts.append(pd.read_parquet(folder / FEWSHOT_OUTCOMES).assign(seed=seed))
        if parts:
            trained = _terms(measurement.record(name, int(parts[0]["seed"].iloc[0])))
            found.append(Recognised(name, trained, pd.concat(parts, ignore_index=True)))
    return found


def _write_outcomes(measured: list[Measured], path: Path) -> None:
    """Write all outcomes, sorted, one measurement at a time: together they can be larger than the memory."""
    ordered = sorted(measured, key=lambda each: (each.model, each.split, each.nc))
    with replacing(path) as temporary, ParquetWriter(temporary, _outcomes(ordered[0]).schema) as writer:
        for each in ordered:
            writer.write_table(_outcomes(each))


def _outcomes(each: Measured) -> pa.Table:
    table = each.outcomes.sort_values(["seed", "draw", "image", "target"])
    return pa.Table.from_pandas(table.assign(model=each.model, split=each.split, nc=each.nc), preserve_index=False)


def _write_models(measurement: Measurement, names: list[str]) -> None:
    """Write what the measured models are, and how large."""
    run = measurement.run
    base = spec(run, training_identities(measurement.store))
    tables.write_csv(models_table([entry(run, name) for name in names], base), run.results / "models.csv")


def _copy_samples(run: Run, name: str) -> None:
    source = run.folder / "identity" / name / "seed0" / "outputs" / SAMPLES
    if source.exists():
        with replacing(run.results / "figures" / f"samples_{name}.png") as temporary:
            shutil.copyfile(source, temporary)
