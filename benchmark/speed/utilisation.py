"""How much of what the machine can do a training does."""

from dataclasses import replace
from statistics import median

import torch

from benchmark.data.images import ImageStore
from benchmark.seeding import seed_global
from benchmark.speed import material
from benchmark.speed.operations import count
from benchmark.speed.rows import Goal, Row, Section
from benchmark.speed.stopwatch import Action, Stopwatch, ratio
from benchmark.training.compiling import compilable
from benchmark.workspace import Run
from models.registry import REFERENCE

CYCLES = 10  # spread evenly over the budget: models change their schedule on the way
ROUNDS = 3
SIDES = {"cpu": 1024, "cuda": 8192}  # of the matrices
PUBLISHED = 1.0  # width
GOAL, GOAL_SIZE = Goal("utilisation", 0.6, least=True), 32  # of the reference model on a CPU, at this image size

NOTES = (
    f"A cycle is the mean of {CYCLES}, spread evenly over the budget, with random numbers of their own, as models "
    "change their schedule on the way or draw lots. Operations are counted by torch's formulas in convolutions, "
    "products of matrices and attention, forward and backward; the time is that of all that is done.",
    "Utilisation is the ratio of the operations per second to those of a product of two square matrices with the "
    f"same threads and precision. Cycles and products take turns of similar length; numbers are medians "
    f"over {ROUNDS} rounds.",
)


def measure(run: Run) -> Section:
    """Measure every model of the run; the reference model with the published width, too."""
    with material.made(run) as store:
        rows = [row for model in run.settings.models for row in _rows(run, model, store)]
    size, training = run.settings.data.image_size, run.settings.training
    setting = f"{size} px, batch {training.batch_size}, width {training.width:g}, {training.precision}"
    return Section("utilisation", f"training at {setting}; threads: {torch.get_num_threads()}", rows, NOTES)


def _rows(run: Run, model: str, store: ImageStore) -> list[Row]:
    row = _row(run, model, model, store)
    if model != REFERENCE or run.settings.training.width == PUBLISHED:
        return [row]
    return [row, _row(_widened(run), model, f"{model}, width {PUBLISHED:g}", store)]


def _widened(run: Run) -> Run:
    training = run.settings.training.model_copy(update={"width": PUBLISHED})
    return replace(run, settings=run.settings.model_copy(update={"training": training}))


def _row(run: Run, model: str, name: str, store: ImageStore) -> Row:
    training = run.settings.training
    operations = count(_course(run, model, store, compiled=False))
    course, product = _course(run, model, store, training.compile), _product(run)
    with compilable():
        times = Stopwatch(_device(run)).times({"course": course, "product": product}, ROUNDS)
    of_product = 2 * _side(run) ** 3
    numbers = {
        "GFLOP a cycle": operations / CYCLES / 1e9,
        "seconds a cycle": median(times["course"]) / CYCLES,
        "GFLOP/s of the product": of_product / median(times["product"]) / 1e9,
        GOAL.quantity: operations / of_product * ratio(times["product"], times["course"]),
    }
    aimed = model == REFERENCE and run.settings.data.image_size == GOAL_SIZE and _device(run).type == "cpu"
    return Row(name, numbers, GOAL if aimed else None)


def _course(run: Run, model: str, store: ImageStore, compiled: bool) -> Action:
    """Return the cycles of one model as one action, the same at every call but for the weights."""
    fabric = material.opened(run, compiled)
    network, batches = material.ready(run, model, store, fabric), material.batches(run, store, fabric.device)

    def course() -> None:
        for number in range(CYCLES):
            seed_global("speed", model, number)
            network.cycle(batches, fabric, (number + 0.5) / CYCLES)

    return course


def _product(run: Run) -> Action:
    """Return the product of two matrices in the precision of the training."""
    kind = torch.bfloat16 if run.settings.training.precision == "bf16-mixed" else torch.float32
    first, second = torch.randn(2, _side(run), _side(run), device=_device(run)).to(kind)
    return lambda: first @ second


def _side(run: Run) -> int:
    return SIDES[_device(run).type]


def _device(run: Run) -> torch.device:
    return material.opened(run).device
