"""Tables and figures from every finished measurement: the stage report."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.errors import BenchmarkError
from benchmark.evaluation.turners import CONTROLS
from benchmark.files import reading, replacing, write_json, write_text
from benchmark.reporting import ablation, figures, tables
from benchmark.reporting.models import models_table
from benchmark.reporting.tables import Measured, Trained
from benchmark.stages.identity import OUTCOMES, SAMPLES, Measurement
from benchmark.stages.train import entry, spec, training_identities
from benchmark.workspace import Run


def report(run: Run) -> None:
    """Write `results/`: every model, seed and number of classes whose measurement is finished and not out of date.

    Raises:
        BenchmarkError: nothing is measured yet.
    """
    measurement = Measurement(run)
    measured = [each for name in _names(run) for each in _measured(measurement, name)]
    if not measured:
        raise BenchmarkError(f"nothing is measured in {run.folder} yet; run `benchmark run` or `dvc repro`")
    table = tables.identity_table(measured, run.name)
    tables.write_csv(table, run.results / "identity.csv")
    write_text(run.results / "identity.md", tables.identity_markdown(table))
    write_json(run.results / "metrics.json", tables.metrics(table))
    tables.write_csv(ablation.table(table), run.results / "ablation.csv")
    write_text(run.results / "ablation.md", ablation.markdown(ablation.table(table)))
    _write_outcomes(measured, run.results / "outcomes.parquet")
    figures.draw_all(table, run.results / "figures")
    _write_models(measurement, [str(name) for name in table["model"].unique() if name not in CONTROLS])
    for old in (run.results / "figures").glob("samples_*.png"):
        old.unlink()
    for name in table["model"].unique():
        _copy_samples(run, str(name))


def _names(run: Run) -> list[str]:
    """Return the controls and models that have results in this run and can still be found."""
    present = {path.name for path in (run.folder / "identity").glob("*") if path.is_dir()}
    return [name for name in sorted(present) if name in CONTROLS or _known(run, name)]


def _known(run: Run, name: str) -> bool:
    try:
        entry(run, name)
    except BenchmarkError:
        print(f"{name}: left out of the tables, there is no such model any more")
        return False
    return True


def _measured(measurement: Measurement, name: str) -> list[Measured]:
    """Return the finished, up-to-date measurements of a model, one for each N_c, its seeds put together."""
    found: dict[int, list[pd.DataFrame]] = {}
    seeds: list[int] = []
    for folder in sorted((measurement.run.folder / "identity" / name).glob("seed*/nc*")):
        seed, nc = int(folder.parent.name.removeprefix("seed")), int(folder.name.removeprefix("nc"))
        if not measurement.is_current(name, seed, nc):
            print(
                f"{name} seed {seed}, N_c {nc}: left out of the tables, out of date; measure it again to have it back"
            )
            continue
        seeds.append(seed)
        with reading(folder / OUTCOMES):
            found.setdefault(nc, []).append(pd.read_parquet(folder / OUTCOMES).assign(seed=seed))
    trained = _terms(measurement.record(name, seeds[0])) if seeds else Trained()
    return [Measured(name, trained, nc, pd.concat(parts)) for nc, parts in found.items()]


def _terms(record: dict[str, Any]) -> Trained:
    """Return on which terms a model was trained, from the record of its training."""
    if not record:
        return Trained()
    batch_size = record["fingerprint"]["spec"]["batch_size"]
    return Trained(record["map"], record["parameters"], record["images"], batch_size, record["auxiliary_images"])


def _write_outcomes(measured: list[Measured], path: Path) -> None:
    parts = [each.outcomes.assign(model=each.model, nc=each.nc) for each in measured]
    ordered = pd.concat(parts).sort_values(["model", "nc", "seed", "draw", "image", "target"], ignore_index=True)
    with replacing(path) as temporary:
        ordered.to_parquet(temporary, index=False)


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
