"""The stages of training and measuring, one by one, as DVC starts them; with nothing to do none imports torch."""

from benchmark.execution import tasks
from benchmark.execution.scheduler import carry_out_all
from benchmark.execution.tasks import Task
from benchmark.run.artifacts import entry
from benchmark.run.workspace import Run


def check_skipped(run: Run) -> None:
    """Say what few-shot leaves out.

    Raises:
        BenchmarkError: `fewshot.skip` names a model that does not exist.
    """
    for name in run.settings.fewshot.skip:
        entry(run, name)
    skipped = [name for name in run.settings.models if name in run.settings.fewshot.skip]
    if not run.settings.fewshot.shots:
        print("few-shot: left out, fewshot.shots is empty")
    elif skipped:
        print(f"few-shot: leaves out {', '.join(skipped)} (fewshot.skip)")


def train_judges(run: Run) -> None:
    """Train both networks of the measurement: the stage extractor."""
    carry_out_all(run, {Task("judge", name): set() for name in tasks.JUDGES})


def make_warm_starts(run: Run) -> None:
    """Make the networks that models start from: the stage warm_start."""
    (run.folder / "warm_starts").mkdir(parents=True, exist_ok=True)
    wanted = tasks.training(run)
    carry_out_all(run, {task: first for task, first in wanted.items() if task.kind == "warm_start"})


def train_model(run: Run, model: str) -> None:
    """Train a model with every seed, if the profile has it: the stage train. Otherwise its folder is empty."""
    (run.folder / "models" / model).mkdir(parents=True, exist_ok=True)
    if model not in run.settings.models:
        print(f"{model}: not trained in the profile {run.settings.name}")
        return
    carry_out_all(run, {Task("train", model, seed): set() for seed in range(run.settings.seeds)})


def measure_identity(run: Run) -> None:
    """Measure identity and view of every model and control: the stage identity."""
    carry_out_all(run, tasks.measuring(run))


def measure_fewshot(run: Run) -> None:
    """Measure few-shot recognition with every model and control: the stage fewshot."""
    (run.folder / "fewshot").mkdir(parents=True, exist_ok=True)
    check_skipped(run)
    carry_out_all(run, tasks.recognising(run))
