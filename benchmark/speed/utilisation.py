"""How much of what the machine can do a training does."""

from dataclasses import replace
from functools import partial

import torch

from benchmark.data.images import ImageStore
from benchmark.seeding import seed_global
from benchmark.speed import material
from benchmark.speed.operations import count
from benchmark.speed.rows import Goal, Row, Section
from benchmark.speed.stopwatch import Action, Stopwatch
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
    "The product of two square matrices is timed after every cycle, with the same threads and precision. Of each cycle "
    f"and of the product the best of {ROUNDS} rounds counts; utilisation is the ratio of their operations per second.",
)


def measure(run: Run) -> Section:
    """Measure every model of the run; the reference model with the published width, too."""
    with material.made(run) as store:
        rows = [_row(run, model, store) for model in run.settings.models]
        if REFERENCE in run.settings.models and run.settings.training.width != PUBLISHED:
            rows.insert(1, _row(_widened(run), REFERENCE, store))
    training = run.settings.training
    size = run.settings.data.image_size
    title = (
        f"training at {size} px, batch {training.batch_size}, {training.precision}, {torch.get_num_threads()} threads"
    )
    return Section("utilisation", title, rows, NOTES)


def _widened(run: Run) -> Run:
    training = run.settings.training.model_copy(update={"width": PUBLISHED})
    return replace(run, settings=run.settings.model_copy(update={"training": training}))


def _row(run: Run, model: str, store: ImageStore) -> Row:
    training = run.settings.training
    operations = sum(count(cycle) for cycle in _course(run, model, store, compiled=False)) / CYCLES
    seconds, product = _timed(run, _course(run, model, store, training.compile))
    peak = 2 * _side(run) ** 3 / product
    numbers = {
        "GFLOP a cycle": operations / 1e9,
        "seconds a cycle": seconds,
        "GFLOP/s of the product": peak / 1e9,
        GOAL.quantity: operations / seconds / peak,
    }
    aimed = model == REFERENCE and run.settings.data.image_size == GOAL_SIZE and _device(run).type == "cpu"
    return Row(f"{model}, width {training.width:g}", numbers, GOAL if aimed else None)


def _timed(run: Run, cycles: list[Action]) -> tuple[float, float]:
    """Return the seconds of a cycle and of a product."""
    product, actions = _product(run), dict[str, Action]()
    for number, cycle in enumerate(cycles):
        actions |= {f"cycle {number}": cycle, f"product {number}": product}
    with compilable():
        best = Stopwatch(_device(run)).best(actions, ROUNDS)
    cycle_times = [seconds for name, seconds in best.items() if name.startswith("cycle")]
    return sum(cycle_times) / len(cycle_times), min(seconds for name, seconds in best.items() if "product" in name)


def _course(run: Run, model: str, store: ImageStore, compiled: bool) -> list[Action]:
    """Return cycles of one model; each does the same at every call, but for the weights."""
    fabric = material.opened(run, compiled)
    network, batches = material.ready(run, model, store, fabric), material.batches(run, store, fabric.device)

    def cycle(number: int) -> None:
        seed_global("speed", model, number)
        network.cycle(batches, fabric, (number + 0.5) / CYCLES)

    return [partial(cycle, number) for number in range(CYCLES)]


def _product(run: Run) -> Action:
    """Return the product of two matrices in the precision of the training."""
    kind = torch.bfloat16 if run.settings.training.precision == "bf16-mixed" else torch.float32
    first, second = torch.randn(2, _side(run), _side(run), device=_device(run)).to(kind)
    return lambda: first @ second


def _side(run: Run) -> int:
    return SIDES[_device(run).type]


def _device(run: Run) -> torch.device:
    return material.opened(run).device
