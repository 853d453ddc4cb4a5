"""Finished measurements, found again: what the tables are made from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.evaluation.draws import SPLITS, usable
from benchmark.files import reading
from benchmark.reporting.fewshot import Recognised
from benchmark.reporting.tables import Measured, Trained
from benchmark.stages import fewshot, identity
from benchmark.stages.fewshot import FewShotMeasurement
from benchmark.stages.identity import Measurement
from benchmark.stages.train import entry
from benchmark.workspace import Run


def identities(measurement: Measurement) -> list[Measured]:
    """Return the finished, up-to-date identity measurements: one for each model or control, split and N_c."""
    return [each for name in names(measurement.run, "identity") for each in _identities(measurement, name)]


def _identities(measurement: Measurement, name: str) -> list[Measured]:
    """Return those of one model or control, its seeds put together."""
    found: dict[tuple[str, int], list[pd.DataFrame]] = {}
    seeds: list[int] = []
    for folder in sorted((measurement.run.folder / "identity" / name).glob("seed*/*/nc*")):
        seed, split, nc = _number(folder.parent.parent, "seed"), folder.parent.name, _number(folder, "nc")
        if measurement.is_current(name, seed, nc, split):
            seeds.append(seed)
            found.setdefault((split, nc), []).append(_outcomes(folder / identity.OUTCOMES, seed))
        else:
            _left_out(name, seed, f"{split} split, N_c {nc}")
    trained = _terms(measurement.record(name, seeds[0])) if seeds else Trained()
    unusable = _unusable(measurement.store.manifest)
    return [
        Measured(name, trained, split, nc, pd.concat(parts, ignore_index=True), unusable[split])
        for (split, nc), parts in found.items()
    ]


def recognised(measurement: FewShotMeasurement) -> list[Recognised]:
    """Return the finished, up-to-date few-shot measurements: one for each model or control, its seeds put together."""
    found = []
    for name in names(measurement.run, "fewshot"):
        outcomes = dict(_recognised(measurement, name))
        if outcomes:
            trained = _terms(measurement.record(name, min(outcomes)))
            found.append(Recognised(name, trained, pd.concat(outcomes.values(), ignore_index=True)))
    return found


def _recognised(measurement: FewShotMeasurement, name: str) -> Iterator[tuple[int, pd.DataFrame]]:
    for folder in sorted((measurement.run.folder / "fewshot" / name).glob("seed*")):
        seed = _number(folder, "seed")
        if measurement.is_current(name, seed):
            yield seed, _outcomes(folder / fewshot.OUTCOMES, seed)
        else:
            _left_out(name, seed, "few-shot")


def names(run: Run, measurement: str) -> list[str]:
    """Return the controls and models that have results of a measurement in this run and can still be found."""
    present = {path.parent.name for path in (run.folder / measurement).glob("*/seed*")}
    controls = {*OF_IDENTITY, *OF_FEWSHOT}
    return [name for name in sorted(present) if name in controls or _known(run, name)]


def _known(run: Run, name: str) -> bool:
    try:
        entry(run, name)
    except BenchmarkError:
        print(f"{name}: left out of the tables, there is no such model any more")
        return False
    return True


def _left_out(name: str, seed: int, what: str) -> None:
    print(f"{name} seed {seed}, {what}: left out of the tables, out of date; measure it again to have it back")


def _number(folder: Path, prefix: str) -> int:
    return int(folder.name.removeprefix(prefix))


def _outcomes(path: Path, seed: int) -> pd.DataFrame:
    with reading(path):
        return pd.read_parquet(path).assign(seed=seed)


def _unusable(manifest: pd.DataFrame) -> dict[str, int]:
    """Return how many standard identities each split cannot use."""
    standard = manifest.loc[manifest["split"] == "standard", "identity"].nunique()
    return {split: standard - len(usable(manifest, split)) for split in SPLITS}


def _terms(record: dict[str, Any]) -> Trained:
    """Return on which terms a model was trained, from the record of its training."""
    if not record:
        return Trained()
    batch_size = record["fingerprint"]["spec"]["batch_size"]
    return Trained(record["map"], record["parameters"], record["images"], batch_size, record["auxiliary_images"])
