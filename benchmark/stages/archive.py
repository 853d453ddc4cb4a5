"""Archives of what was measured, from which another clone continues the run.

`<results>/archive/` has for each model or control and training seed the records of all that was made, with their
fingerprints, losses and rates (`<name>.json`), and the outcomes of its images (`<name>.identity.parquet` and
`<name>.fewshot.parquet`) where the stored rows of the results do not have them. What all of them use, such as the
networks that judge, has a file of records. An archive is written once, so that a repository can take each as it comes.

Weights, features and images are left out; the records name them as `absent`. What is restored and still has the
fingerprint of now counts as done: a model whose measurements are all there is not trained again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from benchmark.errors import BenchmarkError
from benchmark.execution import tasks
from benchmark.files import beside, reading, replacing, write_json, write_text
from benchmark.making.outcomes import OUTCOMES
from benchmark.making.quality import QUALITY
from benchmark.making.samples import SAMPLES
from benchmark.results import rows
from benchmark.run.artifacts import Artifact, found_at, inputs, made
from benchmark.run.cells import ABSENT, RECORD, content_hash
from benchmark.run.workspace import Run
from benchmark.stages import pretrained
from benchmark.stages.collect import LOG

FOLDER = "archive"
TEXTS = (LOG, QUALITY)  # files that are stored with the records
TABLES = {"outcomes": rows.IDENTITY, "recognition": rows.FEWSHOT}  # kinds of artefacts that are rows of a table
KEYS = {"outcomes": ["model", "seed", "split", "nc"], "recognition": ["model", "seed"]}  # columns that name them


@dataclass(frozen=True)
class Kept:
    """An artefact in an archive: its record, texts by the names of their files, and the digest of its rows."""

    record: dict[str, Any]
    texts: dict[str, str]
    digest: str = ""


def store(run: Run, results: Path) -> list[Path]:
    """Write an archive of each model, control or network of which all is done; return the new files of records.

    Args:
        run: stored are all its training seeds, whatever number its settings name.
        results: a folder of results. Outcomes that its rows have are not stored a second time.
    """
    written = []
    for name, artifacts in _finished(run):
        path, content = results / FOLDER / f"{name}.json", {}
        parts: dict[str, list[pd.DataFrame]] = {}
        for each in artifacts:
            cell = each.cell(run)
            record = {key: value for key, value in cell.record.items() if key != ABSENT}
            texts = {
                file: (cell.folder / file).read_text(encoding="utf-8") for file in TEXTS if file in record["files"]
            }
            if each.kind in TABLES:
                with reading(cell.folder / OUTCOMES):
                    table = pd.read_parquet(cell.folder / OUTCOMES)
                parts.setdefault(each.kind, []).append(table.assign(**_key(each)))
                record["files"] = record["files"] | {OUTCOMES: ""}  # the bytes are other ones where they are restored
            digest = _digest(table) if each.kind in TABLES else ""
            content[each.place] = asdict(Kept(record, texts, digest))
        if path.is_file() and json.loads(path.read_text(encoding="utf-8")) == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        for kind, tables in parts.items():
            with replacing(_part(path, kind)) as temporary:
                whole = pd.concat(tables, ignore_index=True)
                whole.to_parquet(temporary, index=False, compression="zstd", compression_level=rows.LEVEL)
        write_json(path, content)  # last: it says that the archive is whole
        written.append(path)
    _drop_what_rows_have(results)
    return written


def _finished(run: Run) -> Iterator[tuple[str, list[Artifact]]]:
    """Yield a name and the artefacts of everything of which all tasks are done."""
    seeds = 1 + max((artifact.seed for artifact, _ in made(run)), default=0)
    every = replace(run, settings=run.settings.model_copy(update={"seeds": seeds}))
    groups: dict[str, list[tasks.Task]] = {}
    for task in tasks.everything(every):
        of_a_row = task.kind in ("train", "identity", "fewshot")
        groups.setdefault(f"{'' if of_a_row else f'{task.kind}-'}{task.name}-seed{task.seed}", []).append(task)
    for name, group in groups.items():
        if all(tasks.done(run, task) for task in group):
            artifacts = [artifact for task in group for artifact in tasks.artifacts(run, task)]
            used = [each for artifact in artifacts for each in inputs(run, artifact) if each.kind == "episodes"]
            yield name, list(dict.fromkeys([*artifacts, *used]))


def _drop_what_rows_have(results: Path) -> None:
    """Remove stored outcomes of archives that the rows of the results have, too."""
    for kind in TABLES:
        have = _rows(results, kind)
        for path in sorted((results / FOLDER).glob("*.json")) if have else ():
            own = [(each, kept) for each, kept in _read(path) if each.kind == kind]
            if all(kept.digest == _digest(have.get(_named(each))) for each, kept in own):
                _part(path, kind).unlink(missing_ok=True)


def restore(run: Run, results: Path) -> int:
    """Put what the archives hold into the folder of a run, where that has nothing yet; return of how many archives.

    Raises:
        BenchmarkError: there are none, or one is damaged.
    """
    archives = sorted((results / FOLDER).glob("*.json"))
    if not archives:
        raise BenchmarkError(f"{results} has no archives to resume from ({FOLDER}/*.json)")
    have = {kind: _rows(results, kind) for kind in TABLES}
    for path in archives:
        own = {kind: _grouped(_part(path, kind), kind) if _part(path, kind).exists() else have[kind] for kind in TABLES}
        for each, kept in _read(path):
            folder, table = each.cell(run).folder, own.get(each.kind, {}).get(_named(each))
            if (folder / RECORD).exists() or (each.kind in TABLES and _digest(table) != kept.digest):
                continue
            part = beside(folder)
            part.mkdir(parents=True)
            for file, text in kept.texts.items():
                write_text(part / file, text)
            files = dict(kept.record["files"])
            if table is not None:
                table.to_parquet(part / OUTCOMES, index=False)
                files[OUTCOMES] = content_hash(part / OUTCOMES)
            weights = pretrained.folder(each.name, each.seed, results) / pretrained.WEIGHTS
            if each.kind == "generator" and weights.is_file() and content_hash(weights) == files[weights.name]:
                shutil.copyfile(weights, part / weights.name)
            sample = results / rows.FOLDER / "samples" / f"{each.name}.png"
            if each.kind == "samples" and each.seed == 0 and sample.is_file():
                shutil.copyfile(sample, part / SAMPLES)
            absent = [file for file in files if not (part / file).exists()]
            write_json(part / RECORD, {**kept.record, "files": files, ABSENT: absent})
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
    return len(archives)


def _read(path: Path) -> list[tuple[Artifact, Kept]]:
    """Return the artefacts of an archive, and what it has of each."""
    found = []
    with reading(path):
        for place, kept in TypeAdapter(dict[str, Kept]).validate_json(path.read_bytes()).items():
            artifact = found_at(place)
            inside = artifact and not {"..", "."} & {*place.split("/")} and {*kept.texts} <= {*TEXTS}
            if not artifact or not inside or not isinstance(kept.record.get("files"), dict):
                raise ValueError(place)
            found.append((artifact, kept))
    return found


def _part(path: Path, kind: str) -> Path:
    """Return the file with the outcomes that go with a file of records."""
    return path.with_name(f"{path.stem}.{TABLES[kind]}")


def _rows(results: Path, kind: str) -> Mapping[tuple[Any, ...], pd.DataFrame]:
    """Return the stored rows of the results for each artefact of a kind, none if there are no rows."""
    path = results / rows.FOLDER / TABLES[kind]
    return _grouped(path, kind) if path.exists() else {}


def _grouped(path: Path, kind: str) -> Mapping[tuple[Any, ...], pd.DataFrame]:
    with reading(path):
        return {key: own.drop(columns=KEYS[kind]) for key, own in pd.read_parquet(path).groupby(KEYS[kind])}


def _key(artifact: Artifact) -> dict[str, Any]:
    """Return the values of the columns that name an artefact in its table."""
    values = {"model": artifact.name, "seed": artifact.seed, "split": artifact.split, "nc": artifact.nc}
    return {key: values[key] for key in KEYS.get(artifact.kind, ())}


def _named(artifact: Artifact) -> tuple[Any, ...]:
    return tuple(_key(artifact).values())


def _digest(table: pd.DataFrame | None) -> str:
    """Return a hash of the rows of a table, in whatever order; an empty text if there is none."""
    if table is None:
        return ""
    columns = sorted(map(str, table))
    told = table[columns].sort_values(columns).to_csv(index=False, float_format=f"%.{rows.DIGITS}g")
    return hashlib.sha256(told.encode()).hexdigest()[:16]
