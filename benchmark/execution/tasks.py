"""The pieces that a run is made in: each can have a process of its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.data import held_out, splitting
from benchmark.data.image_store import open_store
from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.evaluation.draws import measurable
from benchmark.run.artifacts import Artifact, entry, externals
from benchmark.run.cache import ensure, is_done
from benchmark.run.workspace import Run

JUDGES = ("identity", "view")
VALIDATED = ("real", "copy", "mean_image")  # the controls beside the models on validation identities
KINDS = {
    "judge": "train the ResNet18 for `identity` or `view`",
    "warm_start": "train the network that a model starts from, on real images",
    "train": "train a model",
    "oracle": "render the true pictures",
    "external": "take in pictures made elsewhere, which `benchmark evaluate` brings",
    "identity": "measure identity and view of a model, a control, or pictures made elsewhere",
    "validation": "the same on validation identities",
    "fewshot": "measure few-shot recognition with a model or control",
}


@dataclass(frozen=True, order=True)
class Task:
    """A piece of work.

    Attributes:
        kind: one of KINDS.
        name: of a model, a control, a judge, or a row of pictures made elsewhere.
        seed: training seed.
    """

    kind: str
    name: str = ""
    seed: int = 0

    def __str__(self) -> str:
        return " ".join([self.kind, *([self.name] if self.name else []), f"seed {self.seed}"])

    @property
    def words(self) -> list[str]:
        """The task on a command line, see `benchmark.execution.cell`."""
        return [self.kind, self.name or "-", str(self.seed)]


def _check(run: Run, task: Task) -> None:
    """Raise BenchmarkError if there is no such task."""
    controls = {"identity": (*OF_IDENTITY,), "validation": VALIDATED, "fewshot": (*OF_FEWSHOT,)}.get(task.kind, ())
    if task.kind in ("judge", "oracle"):
        known = JUDGES if task.kind == "judge" else ("",)
        if task.name not in known or task.seed:
            raise BenchmarkError(f"{task}: the task {task.kind} has the names {', '.join(known) or '-'} and seed 0")
    elif task.name in externals(run):
        if task.kind not in ("external", "identity"):
            raise BenchmarkError(f"there is no task {task}: pictures made elsewhere are of the standard set alone")
    elif task.name not in controls:
        entry(run, task.name)  # raises if there is no such model


def artifacts(run: Run, task: Task) -> list[Artifact]:
    """Return what a task makes, in order; what that is made from is not among it.

    Raises:
        BenchmarkError: there is no such task.
    """
    _check(run, task)
    name, seed = task.name, task.seed
    if task.kind == "judge":
        return [Artifact(f"{name}_judge")]
    if task.kind == "warm_start":
        from benchmark.making import warm_start

        found = warm_start.of_model(run, name, seed)
        return [found] if found else []
    if task.kind == "train":
        return [Artifact("generator", name, seed)]
    if task.kind == "oracle":
        return [Artifact("oracle")]
    if task.kind == "external":
        return [Artifact("external", name)]
    if task.kind == "fewshot":
        return [Artifact("recognition", name, seed)]
    store = open_store(run)
    manifest = (held_out.of_validation(store) if task.kind == "validation" else store).manifest
    looks = ["quality"] if name == "real" else ["samples", "quality"]  # of the standard set alone
    return [
        Artifact("outputs", name, seed, measured=task.kind),
        *(Artifact(kind, name, seed) for kind in looks if task.kind == "identity"),
        *(
            Artifact("outcomes", name, seed, split, nc, measured=task.kind)
            for split, nc in measurable(manifest, splitting.possible(manifest, run.settings.evaluation.nc))[0]
        ),
    ]


def carry_out(run: Run, task: Task, wait: bool = True) -> None:
    """Make what belongs to a task, with all that it is made from, unless it is done; raises as `ensure`."""
    for artifact in artifacts(run, task):
        ensure(run, artifact, wait)


def done(run: Run, task: Task) -> bool:
    """Return whether everything that belongs to a task is there and up to date."""
    return all(is_done(run, artifact, complete=False) for artifact in artifacts(run, task))


def controls(run: Run, of: Iterable[str]) -> list[str]:
    """Return the names of the controls that the data set allows."""
    return [name for name in of if name != "oracle" or run.settings.data.dataset == "rendered"]


def training(run: Run) -> dict[Task, set[Task]]:
    """Return the tasks of training judges and models, in order, each with those that it waits for."""
    from benchmark.making import warm_start

    warm_starts: dict[Artifact, Task] = {}
    trained: dict[Task, set[Task]] = {}
    for model in run.settings.models:
        for seed in range(run.settings.seeds):
            found = warm_start.of_model(run, model, seed)
            task = Task("warm_start", model, seed)
            first = {warm_starts.setdefault(found, task)} if found else set()
            trained[Task("train", model, seed)] = first
    return {**{task: set() for task in warm_starts.values()}, **_judges(), **trained}


def everything(run: Run) -> dict[Task, set[Task]]:
    """Return all tasks of a run, in order: what many others wait for goes first, and long ones before short ones."""
    wanted = {**training(run), **measuring(run), **recognising(run), **checking(run)}
    first = ["warm_start", "judge", "oracle"]
    early = [task for kind in first for task in wanted if task.kind == kind] + [Task("identity", "real")]
    return {task: wanted[task] for task in [*early, *wanted]}


def _judges() -> dict[Task, set[Task]]:
    return {Task("judge", name): set() for name in JUDGES}


def measuring(run: Run, kind: str = "identity") -> dict[Task, set[Task]]:
    """Return the tasks of measuring identity, or on validation identities, each with those that it waits for."""
    real = Task(kind, "real")
    found = {real: set(_judges())}
    names = controls(run, OF_IDENTITY) if kind == "identity" else VALIDATED
    for name in names:
        if name != "real":
            found[Task(kind, name)] = {real, *([Task("oracle")] if name == "oracle" else [])}
    for name in _taken_in(run) if kind == "identity" else ():
        found |= {Task("external", name): set(), Task(kind, name): {real, Task("external", name)}}
    for model in run.settings.models:
        for seed in range(run.settings.seeds):
            found[Task(kind, model, seed)] = {real, Task("train", model, seed)}
    return ({Task("oracle"): set()} if "oracle" in names else {}) | found


def without_models(run: Run) -> dict[Task, set[Task]]:
    """Return the tasks of measuring identity of all but the models, with the judges, each with what it waits for."""
    wanted = {**_judges(), **measuring(run)}
    return {task: first for task, first in wanted.items() if task.name not in run.settings.models}


def _taken_in(run: Run) -> list[str]:
    """Return the rows of pictures made elsewhere: those that the command brings, and those that still fit the data."""
    brought = run.pictures.name if run.pictures else None
    return [name for name in externals(run) if name == brought or is_done(run, Artifact("external", name))]


def checking(run: Run) -> dict[Task, set[Task]]:
    """Return the tasks that show whether models of own images have learned to keep identities that they never saw."""
    if not run.settings.data.own or not splitting.validation_identities(open_store(run).manifest):
        return {}
    return measuring(run, "validation")


def recognising(run: Run) -> dict[Task, set[Task]]:
    """Return the tasks of few-shot recognition, each with those that it waits for.

    A control has no generator to train; its seeds are those of the classifier.
    """
    settings = run.settings.fewshot
    if not settings.shots:
        return {}
    seeds = range(run.settings.seeds)
    found: dict[Task, set[Task]] = {}
    for name in controls(run, OF_FEWSHOT):
        if name in settings.controls:
            first = {Task("oracle")} if name == "oracle" else set()
            found |= {Task("fewshot", name, seed): first for seed in seeds}
    models = [model for model in run.settings.models if model not in settings.skip]
    found |= {Task("fewshot", model, seed): {Task("train", model, seed)} for model in models for seed in seeds}
    return ({Task("oracle"): set()} if Task("fewshot", "oracle") in found else {}) | found
