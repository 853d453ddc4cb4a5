"""Every finished measurement of a run as the stored rows of its results: the stage collect."""

import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pandas as pd

from benchmark.config.settings import Section
from benchmark.data import held_out, splitting, tiles
from benchmark.data.image_store import ImageStore, open_store
from benchmark.environment import versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.evaluation.draws import SPLITS, usable
from benchmark.evaluation.samples import sample_positions
from benchmark.evaluation.statistics import means_and_intervals
from benchmark.files import reading
from benchmark.making.building import spec, training_identities
from benchmark.making.outcomes import OUTCOMES
from benchmark.making.quality import QUALITY
from benchmark.making.samples import ROWS, SAMPLES
from benchmark.reporting.models import models_table
from benchmark.results import rows
from benchmark.results.rates import LEADING
from benchmark.results.records import Facts, Failure, Judge, Measured, Recognised, Trained, Validated
from benchmark.results.rows import Rows, Samples
from benchmark.run import sources
from benchmark.run.artifacts import Artifact, entry, is_model, made
from benchmark.run.cache import check, is_done
from benchmark.run.workspace import Run
from benchmark.stages.data import ESTIMATED

SHOWN = ("torch", "torchvision", "numpy", "scikit-learn", "pandas", "lightning-fabric")
LOG = "log.csv"  # of a training run
JUDGES = ("identity", "view")
OF_A_ROW = ("generator", "outputs", "samples", "quality", "outcomes", "recognition")  # kinds named after a row


def collect(run: Run) -> None:
    """Write `rows/` of the results: every model, seed, split and N_c whose measurement is finished and up to date.

    The tables of `benchmark sensitivity` are removed: they are made from features that may have changed since.

    Raises:
        BenchmarkError: nothing is measured, or all of it is out of date.
    """
    store = open_store(run)
    missing = [
        Failure(cell=artifact.place, status=str(cell.record.get("status", "damaged")), reason=_said(cell.record))
        for artifact, cell in made(run)
        if cell.record.get("status") != "done" and artifact.measured == "identity" and _wanted(run, artifact)
    ]
    identities = measured(run, missing)
    if not identities:
        raise BenchmarkError(
            f"nothing is measured in {run.folder}, or all of it is out of date; run `benchmark run` or `dvc repro`"
        )
    fewshot = run.settings.fewshot
    ways, shots = episodes.possible(store.manifest, fewshot.ways, fewshot.shots)  # own images can allow fewer
    changes = {"fewshot": fewshot.model_copy(update={"ways": ways, "shots": shots})}
    recognitions = recognised(run, missing) if shots else []
    quality = _quality(run, missing)
    trained: dict[str, list[int]] = {}  # models in the tables, and their training seeds
    for each in identities:
        if is_model(run, each.model):
            trained[each.model] = sorted({*trained.get(each.model, []), *map(int, each.outcomes["seed"].unique())})
    records = {(name, seed): record(run, name, seed) for name, seeds in trained.items() for seed in seeds}
    base = spec(run, training_identities(store))
    names = {each.model for each in identities if 0 in set(each.outcomes["seed"])}
    found = Rows(
        _facts(run, store, identities, recognitions, list(records.values()), missing, changes),
        identities,
        recognitions,
        models_table([entry(run, name) for name in trained], base),
        pd.DataFrame(
            [[*key, *map(each.get, ("seconds", "peak_memory", "device_name"))] for key, each in records.items()],
            columns=rows.COST_COLUMNS,
        ),
        _learning(run, list(records)),
        _samples(run, store, sorted(names)),
        quality,
        _diagnostics(records),
    )
    rows.write(found, run.results)
    for kind in ("csv", "md"):
        (run.results / f"sensitivity.{kind}").unlink(missing_ok=True)


def _wanted(run: Run, artifact: Artifact) -> bool:
    """Return whether an artefact is of no model, or of one that can be found: no plug-in that is not named."""
    if artifact.kind not in OF_A_ROW or not is_model(run, artifact.name):
        return True
    with suppress(BenchmarkError):
        return bool(entry(run, artifact.name))
    return False


def _said(record: dict[str, Any]) -> str:
    return str(record.get("reason", ""))


def measured(run: Run, missing: list[Failure], on: str = "identity") -> list[Measured]:
    """Return the finished, up-to-date identity measurements: one for each model or control, split and N_c.

    Args:
        run: the run.
        missing: gets those that are out of date.
        on: `identity`, or `validation` for those on validation identities.
    """
    store = open_store(run)
    manifest = (held_out.of_validation(store) if on == "validation" else store).manifest
    excluded = unusable(manifest)
    found: dict[tuple[str, str, int], list[pd.DataFrame]] = {}
    terms: dict[str, Trained] = {}
    for artifact in _finished(run, "outcomes", missing, on):
        path = artifact.cell(run).folder / OUTCOMES
        with reading(path):
            outcomes = pd.read_parquet(path).assign(seed=artifact.seed)
        found.setdefault((artifact.name, artifact.split, artifact.nc), []).append(outcomes)
        if artifact.name not in terms:
            terms[artifact.name] = trained_on(record(run, artifact.name, artifact.seed))
    return [
        Measured(name, terms[name], split, nc, pd.concat(parts, ignore_index=True), excluded[split])
        for (name, split, nc), parts in found.items()
    ]


def recognised(run: Run, missing: list[Failure]) -> list[Recognised]:
    """Return the finished, up-to-date few-shot measurements: one for each model or control, its seeds put together.

    Those that are out of date are added to `missing`.
    """
    found: dict[str, list[pd.DataFrame]] = {}
    terms: dict[str, Trained] = {}
    for artifact in _finished(run, "recognition", missing):
        path = artifact.cell(run).folder / OUTCOMES
        with reading(path):
            found.setdefault(artifact.name, []).append(pd.read_parquet(path).assign(seed=artifact.seed))
        if artifact.name not in terms:
            terms[artifact.name] = trained_on(record(run, artifact.name, artifact.seed))
    return [Recognised(name, terms[name], pd.concat(parts, ignore_index=True)) for name, parts in found.items()]


def _finished(run: Run, kind: str, missing: list[Failure], on: str = "identity") -> Iterator[Artifact]:
    """Yield the artefacts of a kind that are done and up to date, of models that can still be found."""
    unknown: set[str] = set()
    every = [each for each in made(run) if each[0].kind == kind and each[0].measured == on]
    for artifact, cell in sorted(every, key=lambda each: (each[0].name, each[0].seed, each[0].split, each[0].nc)):
        if artifact.name in unknown:
            continue
        try:
            if is_model(run, artifact.name):
                entry(run, artifact.name)
        except BenchmarkError as error:
            print(f"{artifact.name}: left out of the tables: {error}")
            unknown.add(artifact.name)
            continue
        if is_done(run, artifact):
            yield artifact
            continue
        print(f"{artifact.place}: left out of the tables, out of date; measure it again to have it back")
        if cell.record.get("status") == "done":
            reason = "settings, data, sources or files changed since"
            missing.append(Failure(cell=artifact.place, status="out of date", reason=reason))


def unusable(manifest: pd.DataFrame) -> dict[str, int]:
    """Return how many standard identities each split cannot use."""
    standard = manifest.loc[manifest["split"] == "standard", "identity"].nunique()
    return {split: standard - len(usable(manifest, split)) for split in SPLITS}


def record(run: Run, name: str, seed: int) -> dict[str, Any]:
    """Return what is recorded of a model's training run, nothing of any other row."""
    return Artifact("generator", name, seed).cell(run).record if is_model(run, name) else {}


def trained_on(record: dict[str, Any]) -> Trained:
    """Return on which terms a model was trained, from the record of its training run."""
    if not record:
        return Trained()
    return Trained(
        record["map"],
        record["parameters"],
        record["images"],
        record["spec"]["batch_size"],
        record["auxiliary_images"],
        record["warm_up_steps"],
    )


def finished(run: Run, model: str, seed: int) -> Artifact:
    """Return a generator that is trained from what the settings, data and sources say now.

    Raises:
        BenchmarkError: there is none.
    """
    artifact = Artifact("generator", model, seed)
    decision = check(run, artifact)
    if decision.action != "skip":
        raise BenchmarkError(
            f"{artifact.cell(run).folder} holds no finished training of these settings ({decision.reason}); "
            f"run `{run.training(model, seed)}`"
        )
    return artifact


def _learning(run: Run, models: list[tuple[str, int]]) -> pd.DataFrame:
    """Return the losses of every finished training run, one row for each of them."""
    parts = [pd.DataFrame(columns=rows.LEARNING_COLUMNS)]
    for model, seed in models:
        log = Artifact("generator", model, seed).cell(run).folder / LOG
        with reading(log):
            losses = pd.read_csv(log).melt(["cycle", "images"], var_name="loss").dropna()
        parts.append(losses.assign(model=model, seed=seed)[rows.LEARNING_COLUMNS])
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]


def _diagnostics(records: dict[tuple[str, int], dict[str, Any]]) -> pd.DataFrame:
    """Return what is recorded of how each generator works, one row for each number."""
    found = [
        (model, seed, name, value)
        for (model, seed), told in records.items()
        for name, value in told.get("diagnostics", {}).items()
    ]
    return pd.DataFrame(found, columns=rows.DIAGNOSTIC_COLUMNS)


def _quality(run: Run, missing: list[Failure]) -> pd.DataFrame:
    """Return how the outputs of each model or control and seed look; those out of date are added to `missing`."""
    found = []
    for artifact in _finished(run, "quality", missing):
        path = artifact.cell(run).folder / QUALITY
        with reading(path):
            values = json.loads(path.read_text(encoding="utf-8"))
        found.append({"model": artifact.name, "seed": artifact.seed, **values})
    return pd.DataFrame(found, columns=rows.QUALITY_COLUMNS)


def _samples(run: Run, store: ImageStore, names: list[str]) -> Samples:
    settings = run.settings.data
    shown = store.manifest.iloc[sample_positions(store, len(settings.views), ROWS)]
    views = shown["view_label"].map(dict(enumerate(settings.views)))
    inputs = pd.DataFrame({"row": range(len(shown)), **{key: shown[key].to_numpy() for key in ("image", "identity")}})
    grids = {
        name: tiles.read(Artifact("samples", name).cell(run).folder / SAMPLES, settings.image_size)
        for name in names
        if is_done(run, Artifact("samples", name))
    }
    return Samples(inputs.assign(view=views.to_numpy()), grids)


def _facts(
    run: Run,
    store: ImageStore,
    identities: list[Measured],
    recognitions: list[Recognised],
    records: list[dict[str, Any]],
    missing: list[Failure],
    changes: Mapping[str, Section],
) -> Facts:
    parts, estimated = store.manifest.groupby("split")["identity"], run.data / ESTIMATED
    counts = pd.DataFrame({"identities": parts.nunique(), "images": parts.size()}).to_dict("index")
    return Facts(
        name=run.name,
        settings=run.settings.model_copy(update=changes),
        commit=sources.commit(),
        versions={"python": platform.python_version(), **versions(*SHOWN)},
        devices=tuple(sorted({str(each["device_name"]) for each in records if each.get("device_name")})),
        counts={str(part): count for part, count in counts.items() if part},
        trained={each.model: each.trained for each in recognitions} | {each.model: each.trained for each in identities},
        left_out={each.split: each.left_out for each in identities},
        failed=tuple(missing),
        judges={name: _judge(run, name) for name in JUDGES},
        estimated=estimated.read_text(encoding="utf-8") if estimated.exists() else "",
        validated=_validated(run, store),
    )


def _validated(run: Run, store: ImageStore) -> dict[str, Validated]:
    """Return how the models of own images do on validation identities, where all of that is measured."""
    identities = splitting.validation_identities(store.manifest)
    if not run.settings.data.own or not identities:
        return {}
    nc = max(splitting.possible(held_out.of_validation(store).manifest, run.settings.evaluation.nc))
    found = {each.model: each for each in measured(run, [], "validation") if (each.split, each.nc) == ("random", nc)}
    rates = {name: means_and_intervals(each.totals) for name, each in found.items()}
    if not {"real", "mean_image"} <= set(rates):
        return {}
    return {
        name: Validated(
            nc=nc,
            identities=identities,
            rate=table.loc[LEADING, "mean"],
            low=table.loc[LEADING, "low"],
            top1=table.loc["top1_cross", "mean"],
            view=table.loc["view_cross", "mean"],
            mean_image=rates["mean_image"].loc[LEADING, "mean"],
            real=rates["real"].loc["top1", "mean"],
        )
        for name, table in rates.items()
        if is_model(run, name)
    }


def _judge(run: Run, name: str) -> Judge:
    """Return what is recorded of a network that judges."""
    told = Artifact(f"{name}_judge").cell(run).record
    of_held_out = {key: told[f"held_out_{key}"] for key in ("accuracy", "lowest", "images", "classes")}
    return Judge(**of_held_out, epochs=told["epochs"], converged=told["converged"])
