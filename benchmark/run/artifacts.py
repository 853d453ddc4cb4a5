"""What depends on what: one table of everything that is made, and how it is found or made.

Each artefact is a cell (see `cells`) in the folder of a run. Its fingerprint has what can change its content: the
settings of its row, the code that makes it, the content of other artefacts, versions, device. `ensure` leaves a cell
whose fingerprint is that of now, takes the same artefact from another run or from what was replaced earlier, and makes
it only where there is none.

The code is followed through the imports, but not into the modules of NEUTRAL, which carry values and change none.
"""

import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess  # nosec B404: a fixed list of words, no shell
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from filelock import Timeout

from benchmark.environment import device_type, versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.files import beside
from benchmark.run import sources
from benchmark.run.cells import RECORD, Cell, difference
from benchmark.run.workspace import KEPT, Run, locked
from models.registry import Entry, UnknownModelError, entries, find

CONTROLS = {*OF_IDENTITY, *OF_FEWSHOT}
NEUTRAL = {  # modules that can be edited without making anything again, and why
    "benchmark.run.artifacts": "the fingerprint itself",
    "benchmark.run.cells": "records",
    "benchmark.environment": "device, threads and versions stand in the fingerprint",
    "benchmark.errors": "sentences",
    "benchmark.exits": "how a process ends",
    "benchmark.files": "writes what it is given",
    "benchmark.run.owners": "records",
    "benchmark.config.plain_yaml": "the values that it reads stand in the fingerprint",
    "benchmark.config.settings": "the values that it holds stand in the fingerprint",
    "benchmark.run.sources": "the fingerprint itself",
    "benchmark.config.values": "bounds of settings",
    "benchmark.run.workspace": "folders and locks",
    "benchmark.training.checkpoint": "stores a state and gives it back",
    "benchmark.training.costs": "measures time and memory",
    "benchmark.training.interruption": "signals",
    "benchmark.training.live": "logs beside the result",
    "benchmark.data.content": "the fingerprint itself",
    "benchmark.data.roots": "where images lie",
    "models.cards": "texts about models",
    "models.registry": "finds the file of a model, which stands in the fingerprint",
}

SPEC = (  # what models are built for, see `models.interface.ModelSpec`
    "data.image_size",
    "data.views",
    "training.images",
    "training.batch_size",
    "training.width",
    "training.learning_rate_factor",
    "training.generator_steps",
    "training.attribute_weight",
    "training.refresh_batches",
    "training.initialisation",
    "training.noise",
)
JUDGE = (
    *("threads", "extractor.batch_size", "extractor.learning_rate"),
    *("extractor.stem", "extractor.held_out"),
)
SPLIT_HASH, LISTING_HASH = "benchmark.data.content:split_hash", "benchmark.data.roots:listing_hash"


@dataclass(frozen=True)
class Kind:
    """A row of the table.

    Attributes:
        place: folder below that of a run; `{...}` are fields of an artefact.
        module: whose function `make` gets run, artefact and folder, and returns what it has `Made`.
        settings: keys of the profile that change the content.
        needs: `module:function`, which gets run and artefact, and returns the artefacts that it is made from.
        code: `module:function`, which gets run and artefact, and returns further files whose code counts.
        data: `module:function`, which gets a run and returns the hash of the images that it is made from.
        packages: those whose versions count.
        device: whether it is computed by torch, so that the kind of device counts.
        content: files that what is made from it depends on; all if empty.
        scratch: a file that the making needs only until it is done.
    """

    place: str
    module: str
    settings: tuple[str, ...]
    needs: str = ""
    code: str = ""
    data: str = SPLIT_HASH
    packages: tuple[str, ...] = ("torch", "torchvision", "numpy")
    device: bool = True
    content: tuple[str, ...] = ()
    scratch: str = ""


MAKING = "benchmark.making"
MODEL = f"{MAKING}.building:model_files"
TABLE = {
    "store": Kind(
        "data/store",
        f"{MAKING}.store",
        ("data.image_size", "data.margin"),
        data=LISTING_HASH,
        packages=("numpy", "pillow"),
        device=False,
    ),
    "identity_judge": Kind(
        "extractors/identity",
        f"{MAKING}.judge",
        (*JUDGE, "extractor.epochs"),
        content=("resnet18.safetensors",),
    ),
    "view_judge": Kind(
        "extractors/view",
        f"{MAKING}.judge",
        (*JUDGE, "extractor.view_epochs"),
        content=("resnet18.safetensors",),
    ),
    "discriminator": Kind(
        "warm_starts/{name}/seed{seed}",
        f"{MAKING}.discriminator",
        (
            *("threads", "data.image_size", "data.views", "training.warm_up", "training.precision"),
            *("training.batch_size", "training.width", "training.learning_rate_factor", "training.initialisation"),
        ),
        code=f"{MAKING}.discriminator:network_files",
        content=("discriminator.safetensors",),
    ),
    "generator": Kind(
        "models/{name}/seed{seed}",
        f"{MAKING}.generator",
        (*SPEC, "threads", "training.precision", "training.compile", "training.average", "training.log_every"),
        needs=f"{MAKING}.discriminator:needed",
        code=MODEL,
        content=("generator.safetensors",),
        scratch="checkpoint.pt",
    ),
    "oracle": Kind(
        "oracle",
        f"{MAKING}.oracle",
        ("data.views", "data.image_size", "data.margin", "data.rendered"),
        packages=("numpy", "pillow", "trimesh", "embreex"),
        device=False,
    ),
    "outputs": Kind(
        "{measured}/{name}/seed{seed}/outputs",
        f"{MAKING}.outputs",
        ("threads", "data.views", "extractor.stem", "evaluation.batch_size"),
        needs=f"{MAKING}.outputs:needs",
        code=MODEL,
    ),
    "samples": Kind(
        "{measured}/{name}/seed{seed}/samples",
        f"{MAKING}.samples",
        ("threads", "data.views"),
        needs=f"{MAKING}.generating:needed",
        code=MODEL,
    ),
    "outcomes": Kind(
        "{measured}/{name}/seed{seed}/{split}/nc{nc}",
        f"{MAKING}.outcomes",
        ("threads", "data.dataset", "evaluation.draws", "evaluation.neighbours", "evaluation.test_share"),
        needs=f"{MAKING}.outcomes:needs",
        packages=("torch", "numpy", "scikit-learn"),
        device=False,
    ),
    "episodes": Kind(
        "fewshot/episodes",
        f"{MAKING}.episodes",
        ("data.dataset", "fewshot.ways", "fewshot.shots", "fewshot.episodes"),
        packages=("numpy",),
        device=False,
    ),
    "recognition": Kind(
        "fewshot/{name}/seed{seed}",
        f"{MAKING}.recognition",
        (
            *("threads", "data.views", "extractor.stem", "fewshot.shots", "fewshot.generated"),
            *("fewshot.steps", "fewshot.batch_size", "fewshot.learning_rate"),
        ),
        needs=f"{MAKING}.recognition:needs",
        code=MODEL,
    ),
}


@dataclass(frozen=True)
class Artifact:
    """One thing that can be made.

    Attributes:
        kind: its row of TABLE.
        name: of a model, a control or a discriminator.
        seed: training seed.
        split: how the images of an identity are dealt to training and testing of the KNN.
        nc: number of classes.
        measured: whose images are turned: `identity` those of the standard set, `validation` those for choices.
        of: a model that has this discriminator.
    """

    kind: str
    name: str = ""
    seed: int = 0
    split: str = ""
    nc: int = 0
    measured: str = "identity"
    of: str = field(default="", compare=False)

    @property
    def row(self) -> Kind:
        """The row of TABLE."""
        return TABLE[self.kind]

    @property
    def place(self) -> str:
        """The folder below that of a run."""
        return self.row.place.format(**asdict(self))

    def cell(self, run: Run) -> Cell:
        """Return the cell of a run."""
        return Cell(run.folder / self.place)


class Decision(NamedTuple):
    """What to do with a cell (`skip`, `resume` or `make`), and why."""

    action: str
    reason: str


class Made(NamedTuple):
    """What a function of the table returns: the files that are the result, and facts to keep in the record."""

    files: tuple[str, ...]
    facts: dict[str, Any]


def entry(run: Run, model: str) -> Entry:
    """Return the registry's entry of a model.

    A plug-in is executed only where the user names it. The path that a finished training run recorded is shown, not
    followed: the folder of a run can come from someone else.

    Raises:
        BenchmarkError: there is no such model, or it has the name of a control.
    """
    if model in CONTROLS:
        raise BenchmarkError(f"no model can be called {model}: a control of the tables has this name; give it another")
    try:
        return find(model, run.plugins)
    except UnknownModelError as error:
        folders = sorted((run.folder / "models" / model).glob("seed*"))
        targets = (str(Cell(folder).record.get("target", "")) for folder in folders)
        plugin = next((target for target in targets if target.endswith(".py")), "")
        named = f"{model} was trained from a file that is executed only where it is named: give --plugin {plugin!r}"
        raise BenchmarkError(named if plugin else str(error)) from None


def found_at(place: str) -> Artifact | None:
    """Return the artefact of a folder below that of a run, None if there is none of that name."""
    for kind, pattern in _patterns().items():
        if match := pattern.fullmatch(place):
            fields: dict[str, Any] = match.groupdict()
            fields |= {key: int(fields[key]) for key in ("seed", "nc") if key in fields}
            return Artifact(kind, **fields)
    return None


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    values = {"seed": r"\d+", "nc": r"\d+", "measured": "identity|validation", "split": "random|grouped"}
    group = lambda match: f"(?P<{match[1]}>{values.get(match[1], '[^/]+')})"  # noqa: E731
    return {kind: re.compile(re.sub(r"{(\w+)}", group, row.place)) for kind, row in TABLE.items()}


def made(run: Run) -> Iterator[tuple[Artifact, Cell]]:
    """Yield the artefacts of which there is a record in the folder of a run, in the order of their places."""
    for path in sorted(run.folder.rglob(RECORD)):
        if artifact := found_at(path.parent.relative_to(run.folder).as_posix()):
            yield artifact, Cell(path.parent)


def check(run: Run, artifact: Artifact) -> Decision:
    """Return whether an artefact is done, from what the settings, data and sources say now, and if not, why.

    Reads no more than it has to, and imports neither torch nor a model: the record tells which files and artefacts it
    was made from, and which these are cannot change unless one of them or a setting does.
    """
    cell = artifact.cell(run)
    record = cell.record
    if not record:
        return Decision("make", f"{RECORD} is damaged" if cell.damaged else "nothing there yet")
    recorded = record.get("fingerprint")
    if not isinstance(recorded, dict):
        return Decision("make", f"{RECORD} is damaged")
    try:
        now = _cheap(run, artifact)
    except BenchmarkError as error:
        return Decision("make", str(error))
    places = recorded.get("inputs", {})
    contents = {}
    for place in places:
        other = found_at(place)
        decision = check(run, other) if other else Decision("make", "unknown")
        if decision.action != "skip":
            return Decision("make", f"{place}: {decision.reason}")
        contents[place] = content(run, other) if other else ""
    labels = recorded.get("sources", {})
    changed = difference(recorded, {**now, "inputs": contents, "sources": _sources_now(run, artifact, labels)})
    if changed:
        return Decision("make", changed)
    if record.get("status") != "done":
        return Decision("resume", f"was {record.get('status')}")
    altered = cell.altered()
    return Decision("make", altered) if altered else Decision("skip", "done, nothing changed")


def is_done(run: Run, artifact: Artifact) -> bool:
    """Whether an artefact is finished, and made from what the settings, data and sources say now."""
    return check(run, artifact).action == "skip"


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
    if row.data:
        made_from["data_hash"] = _called(row.data, run)
    made_from["versions"] = versions(*row.packages)
    if row.device:
        made_from["device"] = device_type(run.device)
    if "seed" in row.place:
        made_from["seed"] = artifact.seed
    normal: dict[str, Any] = json.loads(json.dumps(made_from))
    return normal


def _sources_now(run: Run, artifact: Artifact, labels: dict[str, str]) -> dict[str, str]:
    """Return the hashes, as they are now, of the files that a record names by their labels."""
    outside = {} if all((sources.PROJECT / label).is_file() for label in labels) else _outside(run, artifact)
    paths = {label: outside.get(label, sources.PROJECT / label) for label in labels}
    return {label: sources.code_hash(path) if path.is_file() else "" for label, path in paths.items()}


def _outside(run: Run, artifact: Artifact) -> dict[str, Path]:
    """Return the files of the run's models that do not come with the suite, by their labels."""
    known = entries(run.plugins)
    named = {artifact.name, artifact.of, *run.settings.models}
    files = [file for name, entry in known.items() if name in named for file in entry.sources]
    return {sources.label(file): file for file in files}


def fingerprint(run: Run, artifact: Artifact) -> dict[str, Any]:
    """Return everything that can change the content of an artefact whose inputs are done."""
    row = artifact.row
    extra: list[Path] = _called(row.code, run, artifact) if row.code else []
    without = {*NEUTRAL, *([f"{MAKING}.trained"] if artifact.name in CONTROLS else [])}
    files = sources.closure(row.module, *extra, without=without)
    contents = {each.place: content(run, each) for each in needs(run, artifact)}
    return {**_cheap(run, artifact), "inputs": contents, "sources": sources.hashes(files)}


def needs(run: Run, artifact: Artifact) -> list[Artifact]:
    """Return the artefacts that one is made from."""
    found: list[Artifact] = _called(artifact.row.needs, run, artifact) if artifact.row.needs else []
    return found


def inputs(run: Run, artifact: Artifact) -> list[Artifact]:
    """Return the artefacts that one in the making, or made, is recorded to be made from."""
    places = artifact.cell(run).record["fingerprint"]["inputs"]
    return [found for place in places if (found := found_at(place))]


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
            if source := _elsewhere(run, artifact, wanted):
                print(f"{artifact.place}: taken from {source}")
                _adopt(run, artifact, source)
                return cell
            print(f"{artifact.place}: {decision.action} ({decision.reason})")
            if decision.action == "make":
                _keep(run, artifact)
            with cell.making(wanted, resume=decision.action == "resume"):
                result: Made = _called(f"{artifact.row.module}:make", run, artifact, cell.folder)
                cell.finish(result.files, **result.facts)
            _tidy(artifact, cell)
    return cell


def _decide(cell: Cell, wanted: dict[str, Any]) -> Decision:
    record = cell.record
    if not record:
        return Decision("make", f"{RECORD} is damaged" if cell.damaged else "nothing there yet")
    changed = difference(record.get("fingerprint"), wanted)
    if changed:
        return Decision("make", changed)
    if record.get("status") != "done":
        return Decision("resume", f"was {record.get('status')}")
    altered = cell.altered()
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
        record = Cell(folder).record
        same = record.get("status") == "done" and record.get("fingerprint") == wanted
        if same and not Cell(folder).altered():
            return folder
    return None


def _adopt(run: Run, artifact: Artifact, source: Path) -> None:
    """Bring an artefact of another run into the folder of this one.

    The run of a profile, whose files DVC tracks, gets real files; any other shares them on the disk where it can, which
    is safe as no finished file is ever written to, only replaced.
    """
    folder = artifact.cell(run).folder
    if (run.folder.parent / KEPT) in source.parents:
        _keep(run, artifact)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        source.rename(folder)
        return
    part = beside(folder)
    part.mkdir(parents=True)
    try:
        for name in (*Cell(source).record["files"], RECORD):
            _copy(source / name, part / name, shared=run.name != run.settings.name)
        _keep(run, artifact)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


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
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # another process has just done so
            cell.folder.rename(target)


__all__ = ["TABLE", "Artifact", "Decision", "Kind", "Made", "Timeout", "check", "content", "ensure", "is_done", "made"]
