"""Learning curves: joint on other views after training with a part of the budget: `python -m tools.curves --help`.

Each point is a training run of its own, whose schedule ends with its budget; it is not a look into a longer run. All
share the judges and the warm starts of the profile's own run. CPU seconds are those of an image in training cycles
that are spread over the budget, times the images; the warm start is not among them.
"""

import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import click
import pandas as pd
import torch
from matplotlib.ticker import LogLocator, NullFormatter

from benchmark.cli import main
from benchmark.config.choosing import model_names
from benchmark.config.options import SeveralValues, Whole
from benchmark.config.settings import profile
from benchmark.environment import use_threads
from benchmark.files import replacing
from benchmark.reporting.figures.canvas import KINDS, bars, entries, legend, panels, pointed, styles, theme
from benchmark.results.rates import LEADING
from benchmark.results.rows import write_csv
from benchmark.run import runs
from benchmark.run.workspace import Run
from benchmark.seeding import seed_global
from models.registry import REFERENCE, TABLE_2
from tools.speed import opened, ready, store_of, timed

CYCLES, ROUNDS = 10, 3
COSTS = {"images": "real images used in training", "cpu_minutes": "CPU minutes of training, one thread"}


@click.command(cls=SeveralValues, help=__doc__)
@click.option("--profile", "name", default="cpu", show_default=True, help="Whose settings.")
@click.option("--model", "models", multiple=True, help="Models by name, or all; default: the profile's.")
@click.option("--images", multiple=True, type=Whole(1), help="Budgets; default: an eighth, a quarter, half and all.")
@click.option("--jobs", type=Whole(1, 256), default=2, show_default=True, help="Tasks at the same time.")
@click.option("--output", type=click.Path(path_type=Path), default="curves", help="CSV, PNG and SVG, without suffix.")
def curves(name: str, models: tuple[str, ...], images: tuple[int, ...], jobs: int, output: Path) -> None:
    """Train and measure one seed of every model with every budget, and write table and figure."""
    settings = profile(name)
    chosen, whole = model_names(models, ()) or settings.models, settings.training.images
    parts = []
    for budget in sorted(images or {whole // part for part in (8, 4, 2, 1)}):
        run = f"{name}_{budget}"
        own = ["--profile", name, "--set", f"training.images={budget}", "--set", "fewshot.shots=[]", "--seeds", "1"]
        command = ["run", "--name", run, *own, "--jobs", str(jobs), "--model", *chosen]
        if code := subprocess.run([sys.executable, "-m", "benchmark", *command]).returncode:
            sys.exit(code)  # it has said why
        table = pd.read_csv(Path("runs") / run / "results" / "identity.csv")
        rows = table[(table["split"] == "random") & (table["nc"] == table["nc"].min()) & table["model"].isin(chosen)]
        parts.append(rows[["model", LEADING, f"{LEADING}_ci_low", f"{LEADING}_ci_high"]].assign(images=budget))
    points = pd.concat(parts)
    use_threads(1)
    seconds = {model: seconds_of_an_image(runs.opened(name, "cpu"), model) for model in chosen}
    points["cpu_minutes"] = points["images"] * points["model"].map(seconds) / 60
    write_csv(points, output.with_suffix(".csv"))
    draw(points, settings.evaluation.nc[0], output)


def seconds_of_an_image(run: Run, model: str) -> float:
    """Return the CPU seconds of a training cycle over the images that count in it, on random images."""
    fabric, count = opened(run), 0
    with store_of(run) as store:
        network, batches = ready(run, model, store, fabric)

        def course() -> None:
            nonlocal count
            count = 0
            for number in range(CYCLES):
                seed_global("curves", model, number)
                count += network.cycle(batches, fabric, (number + 0.5) / CYCLES).images

        return min(timed({"course": course}, ROUNDS, torch.device("cpu"), time.process_time)["course"]) / count


def draw(points: pd.DataFrame, nc: int, output: Path) -> None:
    """Draw joint on other views over the images used and over the CPU minutes, a line for each model.

    The methods are above, the versions of Table 2 below.
    """
    known = styles(points["model"])
    versions = [model for model in known if model in TABLE_2]
    methods = [model for model in known if model == REFERENCE or model not in TABLE_2]
    rows = {"methods": methods, "versions of Table 2": versions}
    rows = {title: models for title, models in rows.items() if set(models) - {REFERENCE}} or rows
    with theme():
        figure, axes = panels(len(rows) * len(COSTS), len(COSTS), 3.5, sharey=True)
        for axis, ((title, models), (cost, words)) in zip(axes, product(rows.items(), COSTS.items()), strict=True):
            for model in models:
                style = known[model]
                own = points[points["model"] == model]
                axis.errorbar(own[cost], own[LEADING], bars(own, LEADING), linestyle=style.line, **pointed(style))
            axis.set(title=title, xlabel=words, xscale="log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_major_formatter("{x:,g}")
            axis.xaxis.set_minor_formatter(NullFormatter())
        for axis in axes[:: len(COSTS)]:
            axis.set_ylabel(f"joint on other views, {nc} classes")
        legend(figure, entries(known, known))
        for kind, metadata in KINDS.items():
            with replacing(output.with_suffix(f".{kind}")) as temporary:
                figure.savefig(temporary, format=kind, metadata=metadata)


if __name__ == "__main__":
    main(curves)
