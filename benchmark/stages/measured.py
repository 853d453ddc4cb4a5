"""Finished measurements, found again: what the tables are made from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.cells import Cell
from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.evaluation.draws import SPLITS, usable
from benchmark.files import reading
from benchmark.results.records import Failure, Measured, Recognised, Trained
from benchmark.stages import fewshot, identity
from benchmark.stages.building import entry
from benchmark.stages.fewshot import FewShotMeasurement
from benchmark.stages.identity import Measurement
from benchmark.workspace import Run


def identities(measurement: Measurement, missing: list[Failure]) -> list[Measured]:
    """Return the finished, up-to-date identity measurements: one for each model or control, split and N_c.

    Those that are out of date are added to `missing`.
    """
    return [each for name in names(measurement.run, "identity") for each in _identities(measurement, name, missing)]


def _identities(measurement: Measurement, name: str, missing: list[Failure]) -> list[Measured]:
    """Return those of one model or control, its seeds put together."""
    found: dict[tuple[str, int], list[pd.DataFrame]] = {}
    seeds: list[int] = []
    for seed, split, nc, folder in _outcome_folders(measurement.run.folder / "identity" / name):
        if measurement.is_current(name, seed, nc, split):
            seeds.append(seed)
            found.setdefault((split, nc), []).append(_outcomes(folder / identity.OUTCOMES, seed))
        else:
            missing.extend(_left_out(measurement.run, folder, f"{name} seed {seed}, {split} split, N_c {nc}"))
    trained = terms(measurement.record(name, seeds[0])) if seeds else Trained()
    lacking = unusable(measurement.store.manifest)
    return [
        Measured(name, trained, split, nc, pd.concat(parts, ignore_index=True), lacking[split])
        for (split, nc), parts in found.items()
    ]


def _outcome_folders(folder: Path) -> Iterator[tuple[int, str, int, Path]]:
    """Yield training seed, split, N_c and folder of every cell of outcomes."""
    for seed, parent in numbered(folder, "seed"):
        for split in sorted(SPLITS):
            yield from ((seed, split, nc, path) for nc, path in numbered(parent / split, "nc"))


def recognised(measurement: FewShotMeasurement, missing: list[Failure]) -> list[Recognised]:
    """Return the finished, up-to-date few-shot measurements: one for each model or control, its seeds put together.

    Those that are out of date are added to `missing`.
    """
    found = []
    for name in names(measurement.run, "fewshot"):
        outcomes = dict(_recognised(measurement, name, missing))
        if outcomes:
            trained = terms(measurement.record(name, min(outcomes)))
            found.append(Recognised(name, trained, pd.concat(outcomes.values(), ignore_index=True)))
    return found


def _recognised(
    measurement: FewShotMeasurement, name: str, missing: list[Failure]
) -> Iterator[tuple[int, pd.DataFrame]]:
    for seed, folder in numbered(measurement.run.folder / "fewshot" / name, "seed"):
        if measurement.is_current(name, seed):
            yield seed, _outcomes(folder / fewshot.OUTCOMES, seed)
        else:
            missing.extend(_left_out(measurement.run, folder, f"{name} seed {seed}, few-shot"))


def names(run: Run, measurement: str) -> list[str]:
    """Return the controls and models that have results of a measurement in this run and can still be found."""
    present = {path.parent.name for path in (run.folder / measurement).glob("*/seed*")}
    controls = {*OF_IDENTITY, *OF_FEWSHOT}
    return [name for name in sorted(present) if name in controls or _known(run, name)]


def _known(run: Run, name: str) -> bool:
    try:
        entry(run, name)
    except BenchmarkError as error:
        print(f"{name}: left out of the tables: {error}")
        return False
    return True


def _left_out(run: Run, folder: Path, what: str) -> Iterator[Failure]:
    """Say that a measurement is not in the tables; yield it if it was finished once, as only that is out of date."""
    print(f"{what}: left out of the tables, out of date; measure it again to have it back")
    if Cell(folder, {}).record.get("status") == "done":
        cell = folder.relative_to(run.folder).as_posix()
        yield Failure(cell=cell, status="out of date", reason="settings, data, sources or files changed since")


def numbered(folder: Path, prefix: str) -> Iterator[tuple[int, Path]]:
    """Yield number and path of what is called by `prefix` and a number in `folder`."""
    for path in sorted(folder.glob(f"{prefix}*")):
        number = path.name.removeprefix(prefix)
        if number.isdecimal():
            yield int(number), path


def _outcomes(path: Path, seed: int) -> pd.DataFrame:
    with reading(path):
        return pd.read_parquet(path).assign(seed=seed)


def unusable(manifest: pd.DataFrame) -> dict[str, int]:
    """Return how many standard identities each split cannot use."""
    standard = manifest.loc[manifest["split"] == "standard", "identity"].nunique()
    return {split: standard - len(usable(manifest, split)) for split in SPLITS}


def terms(record: dict[str, Any]) -> Trained:
    """Return on which terms a model was trained, from the record of its training."""
    if not record:
        return Trained()
    return Trained(
        record["map"],
        record["parameters"],
        record["images"],
        record["fingerprint"]["spec"]["batch_size"],
        record["auxiliary_images"],
        record.get("warm_up_steps", 0),
    )
