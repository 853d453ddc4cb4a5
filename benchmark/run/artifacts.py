"""The table of artefacts: everything that is made, what it depends on, and how it is found or made.

Each artefact is a cell (see `cells`) in the folder of a run. Its fingerprint has what can change its content: the
settings of its row, the code that makes it, the content of other artefacts, versions, device. `ensure` leaves a cell
whose fingerprint is that of now, takes the same artefact from another run or from what was replaced earlier, and makes
it only where there is none.

The code is followed through the imports, but not into the modules of NEUTRAL, which carry values and change none.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.files import check_access
from benchmark.run.cells import RECORD, Cell
from benchmark.run.workspace import Run
from models.registry import Entry, UnknownModelError, find

CONTROLS = {*OF_IDENTITY, *OF_FEWSHOT}
NEUTRAL = {  # modules that can be edited without making anything again, and why
    "benchmark.run.artifacts": "the fingerprint itself",
    "benchmark.run.cache": "the fingerprint itself",
    "benchmark.run.cells": "records",
    "benchmark.environment": "device, threads and versions stand in the fingerprint",
    "benchmark.errors": "sentences",
    "benchmark.exits": "how a process ends",
    "benchmark.files": "writes what it is given",
    "benchmark.progress": "shows how far something is",
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
        switches: keys of which it counts alone whether they are 0: they say whether something is needed.
        needs: `module:function`, which gets run and artefact, and returns the artefacts that it is made from.
        code: `module:function`, which gets run and artefact, and returns further files whose code counts.
        data: `module:function`, which gets a run and returns the hash of the images that it is made from.
        pictures: `module:function`, which gets run and artefact, and returns the hash of what the user brings for it.
        packages: those whose versions count.
        device: whether it is computed by torch, so that the kind of device counts.
        content: files that what is made from it depends on; all if empty.
        scratch: a file that the making needs only until it is done.
        memory: the setting to lower where memory is too little.
    """

    place: str
    module: str
    settings: tuple[str, ...]
    needs: str = ""
    code: str = ""
    data: str = SPLIT_HASH
    pictures: str = ""
    packages: tuple[str, ...] = ("torch", "torchvision", "numpy")
    device: bool = True
    switches: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    scratch: str = ""
    memory: str = ""


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
        memory="extractor.batch_size",
        scratch="checkpoint.pt",
    ),
    "view_judge": Kind(
        "extractors/view",
        f"{MAKING}.judge",
        (*JUDGE, "extractor.view_epochs"),
        content=("resnet18.safetensors",),
        memory="extractor.batch_size",
        scratch="checkpoint.pt",
    ),
    "warm_start": Kind(
        "warm_starts/{name}/seed{seed}",
        f"{MAKING}.warm_start",
        (
            *("threads", "data.image_size", "data.views", "training.warm_up", "training.precision"),
            *("training.batch_size", "training.width", "training.learning_rate_factor", "training.initialisation"),
        ),
        code=f"{MAKING}.warm_start:network_files",
        content=("network.safetensors",),
        memory="training.batch_size",
    ),
    "generator": Kind(
        "models/{name}/seed{seed}",
        f"{MAKING}.generator",
        (*SPEC, "threads", "training.precision", "training.compile", "training.average", "training.log_every"),
        switches=("training.warm_up.steps",),
        needs=f"{MAKING}.warm_start:needed",
        code=MODEL,
        content=("generator.safetensors",),
        scratch="checkpoint.pt",
        memory="training.batch_size",
    ),
    "oracle": Kind(
        "oracle",
        f"{MAKING}.oracle",
        ("data.views", "data.image_size", "data.margin", "data.rendered"),
        packages=("numpy", "pillow", "trimesh", "embreex"),
        device=False,
    ),
    "external": Kind(
        "external/{name}",
        f"{MAKING}.external",
        (),
        needs=f"{MAKING}.external:needs",
        pictures=f"{MAKING}.external:digest",
        packages=(),
        device=False,
        content=("pictures.npy",),
    ),
    "outputs": Kind(
        "{measured}/{name}/seed{seed}/outputs",
        f"{MAKING}.outputs",
        ("threads", "data.views", "extractor.stem", "evaluation.batch_size"),
        needs=f"{MAKING}.outputs:needs",
        code=MODEL,
        memory="evaluation.batch_size",
    ),
    "samples": Kind(
        "{measured}/{name}/seed{seed}/samples",
        f"{MAKING}.samples",
        ("threads", "data.views"),
        needs=f"{MAKING}.generating:needed",
        code=MODEL,
    ),
    "quality": Kind(
        "{measured}/{name}/seed{seed}/quality",
        f"{MAKING}.quality",
        ("threads",),
        needs=f"{MAKING}.quality:needs",
        packages=("torch", "numpy"),
        device=False,
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
        memory="fewshot.batch_size",
    ),
}


@dataclass(frozen=True)
class Artifact:
    """One thing that can be made.

    Attributes:
        kind: its row of TABLE.
        name: of a model, a control, a warm start, or a row of pictures made elsewhere.
        seed: training seed.
        split: how the images of an identity are dealt to training and testing of the KNN.
        nc: number of classes.
        measured: whose images are turned: `identity` those of the standard set, `validation` those for choices.
        of: a model that has this warm start.
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


class Made(NamedTuple):
    """The result of a function of the table: files, and facts to keep in the record."""

    files: tuple[str, ...]
    facts: dict[str, Any]


def externals(run: Run) -> list[str]:
    """Return the names of the rows whose pictures were made elsewhere, sorted."""
    stored = (path.parent.name for path in run.folder.glob(f"external/*/{RECORD}"))
    return sorted({*stored, *([run.pictures.name] if run.pictures else [])})


def is_model(run: Run, name: str) -> bool:
    """Return whether a row of the tables is a model: no control, and not of pictures made elsewhere."""
    return name not in CONTROLS and name not in externals(run)


def entry(run: Run, model: str) -> Entry:
    """Return the registry's entry of a model.

    A plug-in is executed only where the user names it. The path that a finished training run recorded is shown, not
    followed: the folder of a run can come from someone else.

    Raises:
        BenchmarkError: there is no such model, or another row of the tables has its name.
    """
    if not is_model(run, model):
        other = "a control of the tables has" if model in CONTROLS else "in this run pictures made elsewhere have"
        raise BenchmarkError(f"no model can be called {model}: {other} this name; give it another")
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
    for kind, pattern in _patterns().items() if isinstance(place, str) else ():
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
    """Yield the artefacts of which there is a record in the folder of a run, in the order of their places.

    Raises:
        AccessError: this user may not look into a folder of the run, so something could be missing.
    """

    def refuse(error: OSError) -> None:
        check_access(error, Path(error.filename))

    folders = (Path(folder) for folder, _, files in os.walk(run.folder, onerror=refuse) if RECORD in files)
    for folder in sorted(folders):
        if artifact := found_at(folder.relative_to(run.folder).as_posix()):
            yield artifact, Cell(folder)


def inputs(run: Run, artifact: Artifact) -> list[Artifact]:
    """Return the artefacts that one in the making, or made, is recorded to be made from."""
    places = artifact.cell(run).record["fingerprint"]["inputs"]
    return [found for place in places if (found := found_at(place))]
