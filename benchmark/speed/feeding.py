"""What drawing the training images takes, beside a step of the model that is trained with them."""

from functools import partial
from statistics import median

from benchmark.speed import material
from benchmark.speed.rows import Goal, Row, Section
from benchmark.speed.stopwatch import Stopwatch, Times, ratio
from benchmark.workspace import Run
from models.registry import REFERENCE

ROUNDS = 5
SHARE, GOAL = "share of a step", 0.03


def measure(run: Run) -> Section:
    """Measure both ways to draw images, from a file of random ones, and a cycle of the reference model."""
    fabric = material.opened(run)
    with material.made(run) as store:
        batches, network = material.batches(run, store, fabric.device), material.ready(run, REFERENCE, store, fabric)
        actions = {"a batch": batches.draw, "a batch of pairs": batches.draw_pairs}
        cycle = partial(network.cycle, batches, fabric, 0.5)
        times = Stopwatch(fabric.device).times({**actions, "cycle": cycle}, ROUNDS)
    steps = [seconds / (1 + run.settings.training.generator_steps) for seconds in times["cycle"]]
    rows = [_row(name, times[name], steps) for name in actions]
    goal = Goal(SHARE, GOAL, least=False)
    title = f"{run.settings.training.batch_size} of {len(store.subset('auxiliary')):,} images in a mapped file"
    note = f"A step is one of the critic or of the generator of {REFERENCE}; numbers are medians over {ROUNDS} rounds."
    return Section("feeding", title, [Row(rows[0].what, rows[0].numbers, goal), *rows[1:]], [note])


def _row(name: str, times: Times, steps: Times) -> Row:
    seconds = {"milliseconds": 1e3 * median(times), "milliseconds of a step": 1e3 * median(steps)}
    return Row(name, {**seconds, SHARE: ratio(times, steps)})
