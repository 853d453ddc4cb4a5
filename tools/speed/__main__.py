"""Measure how fast the suite is here, and print ratios with their goals."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from benchmark.cli import main
from benchmark.config.choosing import open_run, run_options
from benchmark.config.options import SeveralValues
from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.files import write_text
from benchmark.reporting.sheets import Grid, Sheet, markdown
from benchmark.run.workspace import Run
from tools.speed import Section, suite, training

SECTIONS: dict[str, Callable[[Run], Section]] = {
    "utilisation": training.utilisation,
    "feeding": training.feeding,
    "attention": training.attention,
    "evaluation": suite.evaluation,
    "commands": suite.commands,
    "scaling": suite.scaling,
    "pipeline": suite.pipeline,
}
LONG = ("pipeline",)  # many minutes; measured only where it is named
ABOUT = "\b\nSections, for --only:\n" + "\n".join(
    f"{name:12} {(each.__doc__ or '').splitlines()[0]}" for name, each in SECTIONS.items()
)
MISSING = "-"  # in the place of a number that was not measured; a note says why


@click.command(cls=SeveralValues, epilog=ABOUT)
@click.option("--model", "models", multiple=True, help="Models by name, or all; default: the profile's.")
@click.option("--only", multiple=True, type=click.Choice(tuple(SECTIONS)), help="Default: all but `pipeline`.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="CSV with a line for each number.")
@run_options
def speed(models: tuple[str, ...], only: tuple[str, ...], output: Path | None, **choices: Any) -> None:
    """Measure how fast the suite is here, as ratios that hold under noise, with their goals.

    Images are random; the profile gives their size, and batch, width and precision of the training. A goal that is
    missed is said, and is no failure.
    """
    if output and not output.parent.is_dir():
        raise BenchmarkError(f"{output.parent} is no folder; make it, or choose another place for --output")
    run, found = open_run(models, **choices), {}
    for name, measure in SECTIONS.items():
        if name in only or (not only and name not in LONG):
            click.echo(f"measuring {name} ...", err=True)
            try:
                found[name] = measure(run)
            except KeyboardInterrupt:
                raise InterruptedRun(f"interrupted; {name} starts over next time, alone with --only {name}") from None
            click.echo(table(name, found[name]))
            if output:
                write_text(output, tidy(found))


def table(name: str, section: Section) -> str:
    """Return a section as Markdown."""
    lines = []
    for what, numbers in section.rows.items():
        cells = [MISSING if x is None else f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}" for x in numbers.values()]
        said = ""
        if goal := section.goals.get(what):
            value, bound = numbers[goal.quantity], f"{'at least' if goal.least else 'at most'} {goal.bound:g}"
            verdict = "not measured" if value is None else "met" if goal.met(value) else "missed"
            said = f"{goal.quantity} {bound}: {verdict}"
        lines.append([what, *cells, *[said] * bool(section.goals)])
    quantities = next(iter(section.rows.values()))
    head = ["", *quantities, *["goal"] * bool(section.goals)]
    return markdown(Sheet(f"{name}: {section.title}", [Grid(head, lines)], section.notes))


def tidy(sections: Mapping[str, Section]) -> str:
    """Return CSV with a line for each number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["section", "what", "quantity", "value", "goal", "met"])
    for name, section in sections.items():
        for what, numbers in section.rows.items():
            for quantity, number in numbers.items():
                goal = section.goals.get(what)
                goal = goal if goal and goal.quantity == quantity else None
                met = int(goal.met(number)) if goal and number is not None else ""
                value = "" if number is None else f"{number:.6g}"
                writer.writerow([name, what, quantity, value, goal.bound if goal else "", met])
    return text.getvalue()


if __name__ == "__main__":
    main(speed)
