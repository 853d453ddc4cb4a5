"""Finding or making artefacts: what is done stays, what another run has made is taken from there, the rest is made."""

import hashlib
import importlib
import json
import os
import shutil
import subprocess  # nosec B404: a fixed list of words, no shell
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.environment import device_type, versions
from benchmark.errors import NO_SPACE, AccessError, BenchmarkError, enough_memory
from benchmark.files import beside, write_json
from benchmark.run import sources
from benchmark.run.artifacts import MAKING, NEUTRAL, Artifact, Made, found_at, is_model
from benchmark.run.cells import RECORD, Cell, difference
from benchmark.run.workspace import KEPT, Run, locked
from models.registry import entries


class Decision(NamedTuple):
    """The decision about a cell (`skip`, `resume` or `make`), and its reason."""

    action: str
    reason: str


def check(run: Run, artifact: Artifact, complete: bool = True) -> Decision:
    """Return whether an artefact is done, from what the settings, data and sources say now, and if not, why.

    Reads no more than it has to, and imports neither torch nor a model: the record tells which files and artefacts it
    was made from, and which these are cannot change unless one of them or a setting does.

    Args:
        run: the run.
        artifact: one of its artefacts.
        complete: whether the files that are left out of an archive of results have to be there; of what it was made
            from they need not.
    """
    cell = artifact.cell(run)
    recorded = cell.record.get("fingerprint")
    if not isinstance(recorded, dict):
        return _decide(cell, {})
    try:
        now = _cheap(run, artifact)
    except BenchmarkError as error:
        return Decision("make", str(error))
    contents = {}
    if not all(isinstance(recorded.get(key, {}), dict) for key in ("inputs", "sources")):
        return Decision("make", f"{RECORD} is damaged")
    for place in recorded.get("inputs", {}):
        other = found_at(place)
        decision = check(run, other, complete=False) if other else Decision("make", "unknown")
        if decision.action != "skip":
            return Decision("make", f"{place}: {decision.reason}")
        contents[place] = content(run, other) if other else ""
    labels = recorded.get("sources", {})
    return _decide(cell, {**now, "inputs": contents, "sources": _sources_now(run, artifact, labels)}, complete)


def is_done(run: Run, artifact: Artifact, complete: bool = True) -> bool:
    """Return whether an artefact is finished, and made from what settings, data and sources say now; see `check`."""
    return check(run, artifact, complete).action == "skip"


def content(run: Run, artifact: Artifact) -> str:
    """Return the hash of what others are made from, of a finished artefact."""
    record, row = artifact.cell(run).record, artifact.row
    files = record.get("files", {})
    told = {name: files.get(name) for name in row.content or sorted(files)}
    return _digest({"files": told, "spec": record.get("spec")})


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _cheap(run: Run, artifact: Artifact) -> dict[str, Any]:
    """Return the part of the fingerprint that can be told without what it is made from being there."""
    row = artifact.row
    made_from: dict[str, Any] = {"made_by": row.module, "settings": run.settings.values_of(row.settings)}
    if row.switches:
        made_from["switches"] = {key: bool(value) for key, value in run.settings.values_of(row.switches).items()}
    if row.data:
        made_from["data_hash"] = _called(row.data, run)
    if row.pictures:
        made_from["pictures_hash"] = _called(row.pictures, run, artifact)
    made_from["versions"] = versions(*row.packages)
    if row.device:
        made_from["device"] = device_type(run.device)
    if "seed" in row.place:
        made_from["seed"] = artifact.seed
    normal: dict[str, Any] = json.loads(json.dumps(made_from))
    return normal


def _sources_now(run: Run, artifact: Artifact, labels: dict[str, str]) -> dict[str, str]:
    """Return the hashes, as they are now, of the files that a record names by their labels."""
    outside: dict[str, Path] = {}  # files of the run's models that do not come with the suite
    if any(label.partition("/")[0] not in sources.PACKAGES for label in labels):
        named = {artifact.name, artifact.of, *run.settings.models}
        models = [entry for name, entry in entries(run.plugins).items() if name in named]
        files = sources.closure(*(file for entry in models for file in entry.sources), without=NEUTRAL)
        outside = {sources.label(file): file for file in files if not file.is_relative_to(sources.PROJECT)}
    paths = {label: outside.get(label, sources.PROJECT / label) for label in labels}
    return {label: sources.code_hash(path) if path.is_file() else "" for label, path in paths.items()}


def fingerprint(run: Run, artifact: Artifact) -> dict[str, Any]:
    """Return everything that can change the content of an artefact whose inputs are done."""
    row = artifact.row
    extra: list[Path] = _called(row.code, run, artifact) if row.code else []
    without = {*NEUTRAL, *([] if is_model(run, artifact.name) else [f"{MAKING}.trained"])}
    files = sources.closure(row.module, *extra, without=without)
    contents = {each.place: content(run, each) for each in needs(run, artifact)}
    return {**_cheap(run, artifact), "inputs": contents, "sources": sources.hashes(files)}


def needs(run: Run, artifact: Artifact) -> list[Artifact]:
    """Return the artefacts that one is made from."""
    found: list[Artifact] = _called(artifact.row.needs, run, artifact) if artifact.row.needs else []
    return found


def _called(target: str, *arguments: Any) -> Any:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function(*arguments)


def ensure(run: Run, artifact: Artifact, wait: bool = True) -> Cell:
    """Return the cell of an artefact, which is found or made now with all that it is made from, unless it is done.

    Raises:
        InterruptedRun: the user asked to stop; what can be resumed is saved.
        BenchmarkError: it cannot be made.
        Timeout: another process makes the same, and `wait` is false.
    """
    cell = artifact.cell(run)
    if is_done(run, artifact):
        _tidy(artifact, cell)
        return cell
    for each in needs(run, artifact):
        ensure(run, each)
    with run.lock(artifact.place, wait):
        wanted = fingerprint(run, artifact)
        decision = _decide(cell, wanted)
        if decision.action == "skip":
            _tidy(artifact, cell)
            return cell
        with locked(run.folder.parent / ".locks" / artifact.place / f"{_digest(wanted)}.lock", wait):
            if cell.folder.is_symlink():
                raise BenchmarkError(f"{cell.folder} is a link to another folder; remove the link and run again")
            source = _elsewhere(run, artifact, wanted)
            if source and _adopt(run, artifact, source, wanted):
                print(f"{artifact.place}: taken from {source}")
                return cell
            print(f"{artifact.place}: {decision.action} ({decision.reason})")
            if decision.action == "make":
                _keep(run, artifact)
            with (
                cell.making(wanted, resume=decision.action == "resume"),
                enough_memory(artifact.place, _advice(run, artifact)),
            ):
                result: Made = _called(f"{artifact.row.module}:make", run, artifact, cell.folder)
                cell.finish(result.files, **result.facts)
            _tidy(artifact, cell)
    return cell


def _advice(run: Run, artifact: Artifact) -> str:
    """Return what to do where the memory is too little for an artefact."""
    key = artifact.row.memory
    free = "free some, such as by fewer --jobs, and run again"
    return f"lower {key}, now {run.settings.values_of([key])[key]:,}, or {free}" if key else free


def _decide(cell: Cell, wanted: dict[str, Any], complete: bool = True) -> Decision:
    """Return what to do with a cell that is to be made from `wanted`."""
    record = cell.record
    if not record:
        return Decision("make", f"{RECORD} is damaged" if cell.damaged else "nothing there yet")
    changed = difference(record.get("fingerprint"), wanted)
    if changed:
        return Decision("make", changed)
    if record.get("status") != "done":
        return Decision("resume", f"was {record.get('status')}")
    altered = cell.altered(complete)
    return Decision("make", altered) if altered else Decision("skip", "done, nothing changed")


def _tidy(artifact: Artifact, cell: Cell) -> None:
    """Remove what only the making needed: a process that was killed can have left it there."""
    if artifact.row.scratch:
        (cell.folder / artifact.row.scratch).unlink(missing_ok=True)


def _elsewhere(run: Run, artifact: Artifact, wanted: dict[str, Any]) -> Path | None:
    """Return the folder of the same artefact in another run, or among those that were replaced."""
    shelf = run.folder.parent
    others = (path for path in sorted(shelf.glob("*")) if path.is_dir() and not path.name.startswith("."))
    candidates = [shelf / KEPT / artifact.place / _digest(wanted)]
    candidates += [path / artifact.place for path in others if path != run.folder]
    for folder in candidates:
        with suppress(AccessError, PermissionError):  # a run that another user keeps private
            record = Cell(folder).record
            same = record.get("status") == "done" and record.get("fingerprint") == wanted
            if same and not Cell(folder).altered():
                return folder
    return None


def _adopt(run: Run, artifact: Artifact, source: Path, wanted: dict[str, Any]) -> bool:
    """Bring an artefact of another run into the folder of this one; return whether it was still the wanted one.

    The run of a profile, whose files DVC tracks, gets real files; any other shares them on the disk where it can, which
    is safe as no finished file is ever written to, only replaced.
    """
    folder, record = artifact.cell(run).folder, Cell(source).record
    if record.get("fingerprint") != wanted:  # another process has just replaced it
        return False
    part = beside(folder)
    part.mkdir(parents=True)
    try:
        if (run.folder.parent / KEPT) in source.parents:
            source.rename(part / "whole")
        else:
            (part / "whole").mkdir()
            for name in record["files"]:
                _copy(source / name, part / "whole" / name, shared=run.name != run.settings.name)
            write_json(part / "whole" / RECORD, record)
        if Cell(part / "whole").altered():
            return False
        _keep(run, artifact)
        shutil.rmtree(folder, ignore_errors=True)
        (part / "whole").rename(folder)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        return False
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return True


def _copy(source: Path, target: Path, shared: bool) -> None:
    """Copy a file without taking room on the disk where that is possible: by reflink, or, if `shared`, by hard link."""
    if shared:
        with suppress(OSError):
            os.link(source, target)
            return
    command = ["cp", "--reflink=auto", "--preserve=timestamps", "--", str(source), str(target)]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # nosec B603
    except (OSError, subprocess.CalledProcessError):  # another system's cp
        shutil.copy2(source, target)


def _keep(run: Run, artifact: Artifact) -> None:
    """Put what is about to be replaced aside, if it is whole: settings that are set back find it again."""
    cell = artifact.cell(run)
    record = cell.record
    if record.get("status") != "done" or cell.folder.is_symlink() or cell.altered():
        return
    target = run.folder.parent / KEPT / artifact.place / _digest(record.get("fingerprint"))
    if target.exists() and Cell(target).altered():
        shutil.rmtree(target)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # another process has just done so
            cell.folder.rename(target)
