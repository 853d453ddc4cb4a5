"""What was measured: rows of numbers with their goals, as a table for reading and as tidy CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.reporting.sheets import Grid, Sheet, markdown

MISSING = "-"  # in the place of a number that was not measured; a note says why


@dataclass(frozen=True)
class Goal:
    """What one number of a row should be.

    Attributes:
        quantity: which number.
        bound: the worst that it should be.
        least: whether more is better.
    """

    quantity: str
    bound: float
    least: bool

    def said(self, value: float | None) -> str:
        """Return the goal and whether `value` meets it."""
        verdict = "not measured" if value is None else "met" if self.met(value) else "missed"
        return f"{self.quantity} {'at least' if self.least else 'at most'} {self.bound:g}: {verdict}"

    def met(self, value: float) -> bool:
        """Whether `value` is as good as it should be."""
        return value >= self.bound if self.least else value <= self.bound


@dataclass(frozen=True)
class Row:
    """Numbers by quantity, the unit in its name; None for one that was not measured."""

    what: str
    numbers: Mapping[str, float | None]
    goal: Goal | None = None


@dataclass(frozen=True)
class Section:
    """What belongs together.

    Attributes:
        name: what the command line calls it.
        title: what was measured, in a line.
        rows: they have the same quantities.
        notes: sentences that explain the numbers.
    """

    name: str
    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def table(section: Section) -> str:
    """Return a section as Markdown."""
    quantities = list(section.rows[0].numbers)
    goals = [row.goal.said(row.numbers[row.goal.quantity]) if row.goal else "" for row in section.rows]
    head = ["", *quantities, *["goal"] * any(goals)]
    cells = [[row.what, *(_shown(row.numbers[name]) for name in quantities)] for row in section.rows]
    rows = [[*texts, *[goal] * any(goals)] for texts, goal in zip(cells, goals, strict=True)]
    return markdown(Sheet(f"{section.name}: {section.title}", [Grid(head, rows)], section.notes))


def _shown(number: float | None) -> str:
    if number is None:
        return MISSING
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def tidy(sections: Iterable[Section]) -> str:
    """Return CSV with a line for each number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["section", "what", "quantity", "value", "goal", "met"])
    for section in sections:
        for row in section.rows:
            writer.writerows([section.name, row.what, *cells] for cells in _numbers(row))
    return text.getvalue()


def _numbers(row: Row) -> Iterable[list[object]]:
    for quantity, number in row.numbers.items():
        goal = row.goal if row.goal and row.goal.quantity == quantity else None
        met = int(goal.met(number)) if goal and number is not None else ""
        value = "" if number is None else f"{number:.6g}"
        yield [quantity, value, goal.bound if goal else "", met]
