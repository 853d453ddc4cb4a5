"""Tables for reading, in Markdown and LaTeX; the report page shows the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

ESCAPES = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})  # in captions and notes


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes:
        head: names of the columns.
        rows: what is in the cells, each row as long as the head.
        title: heading of the table where a sheet has several, otherwise empty.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""


@dataclass(frozen=True)
class Sheet:
    """Tables that belong together, and what has to be said of them.

    Attributes:
        title: heading, with the name of the run.
        grids: the tables.
        notes: paragraphs below them, in plain text.
    """

    title: str
    grids: Sequence[Grid]
    notes: Sequence[str] = ()


def markdown(sheet: Sheet) -> str:
    """Return a sheet as Markdown."""
    parts = [f"# {sheet.title}"]
    for grid in sheet.grids:
        parts += [f"## {grid.title}"] * bool(grid.title) + [_pipes(grid)]
    return "\n\n".join([*parts, *sheet.notes]) + "\n"


def _pipes(grid: Grid) -> str:
    lines = [f"| {' | '.join(map(str, cells))} |" for cells in (grid.head, *grid.rows)]
    return "\n".join([lines[0], "|---" * len(grid.head) + "|", *lines[1:]])


def latex(sheet: Sheet) -> str:
    """Return a sheet as LaTeX for the package booktabs: a `table` for each grid, and the notes in small print."""
    notes = [f"{{\\footnotesize {note.translate(ESCAPES)}\\par}}\n" for note in sheet.notes]
    return "\n".join([*(_tabular(grid, sheet) for grid in sheet.grids), *notes])


def _tabular(grid: Grid, sheet: Sheet) -> str:
    texts = pd.DataFrame([[str(cell) for cell in row] for row in grid.rows], columns=list(grid.head), dtype=str)
    style = texts.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
    caption = ". ".join(filter(None, [sheet.title, grid.title])).translate(ESCAPES)
    columns = "l" + "r" * (len(grid.head) - 1)
    return str(style.to_latex(hrules=True, position="htbp", caption=caption, column_format=columns))
