"""Every finished measurement of a run as the stored rows of its results: the stage collect."""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark import sources
from benchmark.cells import RECORD, Cell
from benchmark.data import tiles
from benchmark.environment import versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.files import reading
from benchmark.reporting.models import models_table
from benchmark.results import rows
from benchmark.results.records import Facts, Failure, Measured, Recognised
from benchmark.results.rows import Rows, Samples
from benchmark.stages import measured
from benchmark.stages.building import entry, spec, training_identities
from benchmark.stages.fewshot import FewShotMeasurement
from benchmark.stages.identity import SAMPLES, Measurement
from benchmark.training.loop import Files
from benchmark.workspace import Run

SHOWN = ("torch", "torchvision", "numpy", "scikit-learn", "pandas", "lightning-fabric")


def collect(run: Run) -> None:
    """Write `rows/` of the results: every model, seed, split and N_c whose measurement is finished and up to date.

    The tables of `benchmark sensitivity` are removed: they are made from features that may have changed since.

    Raises:
        BenchmarkError: nothing is measured, or all of it is out of date.
    """
    measurement, missing = Measurement(run), list(_unfinished(run.folder))
    identities = measured.identities(measurement, missing)
    if not identities:
        raise BenchmarkError(
            f"nothing is measured in {run.folder}, or all of it is out of date; run `benchmark run` or `dvc repro`"
        )
    recognised = measured.recognised(FewShotMeasurement(run), missing) if run.settings.fewshot.shots else []
    rows.write(_rows(measurement, identities, recognised, missing), run.results)
    for kind in ("csv", "md"):
        (run.results / f"sensitivity.{kind}").unlink(missing_ok=True)


def _unfinished(folder: Path) -> Iterator[Failure]:
    """Yield the cells of a run that are not done."""
    for path in sorted(folder.rglob(RECORD)):
        record = Cell(path.parent, {}).record
        status = str(record.get("status", "damaged"))
        if status != "done":
            cell = path.parent.relative_to(folder).as_posix()
            yield Failure(cell=cell, status=status, reason=str(record.get("reason", "")))


def _rows(
    measurement: Measurement, identities: list[Measured], recognised: list[Recognised], missing: list[Failure]
) -> Rows:
    run, seeds = measurement.run, _seeds(identities)
    trained = [name for name in seeds if name not in OF_IDENTITY]
    records = [(name, seed, _record(run, name, seed)) for name in trained for seed in seeds[name]]
    base = spec(run, training_identities(measurement.store))
    return Rows(
        _facts(measurement, identities, recognised, [record for *_, record in records], missing),
        identities,
        recognised,
        models_table([entry(run, name) for name in trained], base),
        pd.DataFrame([_cost(*found) for found in records], columns=rows.COST_COLUMNS),
        _learning(run, records),
        _samples(measurement, [name for name in seeds if 0 in seeds[name]]),
    )


def _seeds(identities: list[Measured]) -> dict[str, list[int]]:
    """Return the training seeds that are measured of each model or control."""
    found: dict[str, set[int]] = {}
    for each in identities:
        found.setdefault(each.model, set()).update(map(int, each.outcomes["seed"].unique()))
    return {name: sorted(seeds) for name, seeds in found.items()}


def _record(run: Run, model: str, seed: int) -> dict[str, Any]:
    return Cell(run.folder / "models" / model / f"seed{seed}", {}).record


def _cost(model: str, seed: int, record: dict[str, Any]) -> list[Any]:
    return [model, seed, *(record.get(key) for key in ("seconds", "peak_memory", "device_name"))]


def _learning(run: Run, records: list[tuple[str, int, dict[str, Any]]]) -> pd.DataFrame:
    """Return the losses of every finished training, one row for each of them."""
    parts = [pd.DataFrame(columns=rows.LEARNING_COLUMNS)]
    for model, seed, _ in records:
        log = Files(run.folder / "models" / model / f"seed{seed}").log
        with reading(log):
            losses = pd.read_csv(log).melt(["cycle", "images"], var_name="loss").dropna()
        parts.append(losses.assign(model=model, seed=seed)[rows.LEARNING_COLUMNS])
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]


def _samples(measurement: Measurement, names: list[str]) -> Samples:
    run, settings = measurement.run, measurement.run.settings.data
    shown = measurement.store.manifest.iloc[measurement.sampled()]
    views = shown["view_label"].map(dict(enumerate(settings.views)))
    inputs = pd.DataFrame({"row": range(len(shown)), **{key: shown[key].to_numpy() for key in ("image", "identity")}})
    paths = {name: run.folder / measurement.folder(name, 0) / "outputs" / SAMPLES for name in names}
    grids = {name: tiles.read(path, settings.image_size) for name, path in paths.items() if path.exists()}
    return Samples(inputs.assign(view=views.to_numpy()), grids)


def _facts(
    measurement: Measurement,
    identities: list[Measured],
    recognised: list[Recognised],
    records: list[dict[str, Any]],
    missing: list[Failure],
) -> Facts:
    run, parts = measurement.run, measurement.store.manifest.groupby("split")["identity"]
    counts = pd.DataFrame({"identities": parts.nunique(), "images": parts.size()}).to_dict("index")
    devices = sorted({str(record["device_name"]) for record in records if record.get("device_name")})
    return Facts(
        name=run.name,
        settings=run.settings,
        commit=sources.commit(),
        versions={"python": platform.python_version(), **versions(*SHOWN)},
        devices=tuple(devices),
        counts={str(part): count for part, count in counts.items() if part},
        trained={each.model: each.trained for each in recognised} | {each.model: each.trained for each in identities},
        left_out={each.split: each.left_out for each in identities},
        failed=tuple(missing),
    )
