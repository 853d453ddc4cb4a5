"""How long the command line takes to answer."""

import subprocess  # nosec B404
import sys
from functools import partial
from statistics import median

import torch

from benchmark.speed.rows import Goal, Row, Section
from benchmark.speed.stopwatch import Stopwatch
from benchmark.workspace import Run

COMMANDS = (("--help",), ("models",))
ROUNDS = 5
GOAL = Goal("seconds", 1.0, least=False)
START = "from benchmark.cli import main; main()"


def measure(run: Run) -> Section:
    """Start each command several times."""
    actions = {f"benchmark {' '.join(words)}": partial(_start, words) for words in COMMANDS}
    times = Stopwatch(torch.device("cpu")).times(actions, ROUNDS)
    rows = [Row(name, {"seconds": median(taken)}, GOAL) for name, taken in times.items()]
    return Section("commands", "from the start of a process to its end", rows, [f"Medians over {ROUNDS} rounds."])


def _start(words: tuple[str, ...]) -> None:
    subprocess.run([sys.executable, "-c", START, *words], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # nosec B603
