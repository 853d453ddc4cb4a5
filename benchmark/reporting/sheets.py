"""Tables for reading, in Markdown and LaTeX; the report page shows the same ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

ESCAPES = str.maketrans(  # of LaTeX, in captions and notes
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)
OTHER_LETTERS = str.maketrans(  # what the old encoding of LaTeX's letters sets in their place
    {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
)
OPTION = re.compile(r"^(?=[\[*])", re.MULTILINE)  # in a row's first cell LaTeX takes it as part of the command before
MARKUP = str.maketrans({"\\": r"\\", "*": r"\*", "&": "&amp;", "<": "&lt;"})  # of Markdown, which lets HTML through
EMPHASIS = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")  # of Markdown, such as `__init__`; `two_step` is none
LONG = 30  # letters of a text from which on its column breaks lines
WRAPPED = r"p{0.4\linewidth}"
NUMBER = re.compile(r"[<+-]?\s*\.?\d")
MISSING = {"", "-", "n/a"}


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


def numeric(grid: Grid) -> list[bool]:
    """Return for each column whether it holds numbers, with intervals or not, and nothing else."""
    columns = [set(texts) - MISSING for texts in _columns(grid)]
    return [bool(texts) and all(map(NUMBER.match, texts)) for texts in columns]


def _columns(grid: Grid) -> list[list[str]]:
    return [[str(row[place]) for row in grid.rows] for place in range(len(grid.head))]


def headed(sheet: Sheet, run: str, label: str) -> Sheet:
    """Return a sheet whose title names its run as `Data.label` does, in the place of `profile <run>`."""
    return replace(sheet, title=sheet.title.replace(f", profile {run}", f", {label}"))


def markdown(sheet: Sheet) -> str:
    """Return a sheet as Markdown; only `code` is left as markup in its texts."""
    parts = [f"# {_marked_down(sheet.title)}"]
    for grid in sheet.grids:
        rows = ([_marked_down(_line(cell)).replace("|", r"\|") for cell in cells] for cells in (grid.head, *grid.rows))
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        table = "\n".join([lines[0], "|---" * len(grid.head) + "|", *lines[1:]])
        parts += [f"## {_marked_down(grid.title)}"] * bool(grid.title) + [table]
    return "\n\n".join([*parts, *map(_marked_down, sheet.notes)]) + "\n"


def _marked_down(text: str) -> str:
    return EMPHASIS.sub(r"\\_", text.translate(MARKUP)).replace("](", r"]\(")  # a link


def _line(cell: object) -> str:
    return " ".join(str(cell).splitlines())


def latex(sheet: Sheet) -> str:
    """Return a sheet as LaTeX: a `table` for each grid, no wider than the page, and the notes in small print.

    Numbers are set on the right, long texts with line breaks. It needs the packages booktabs and adjustbox.
    """
    parts = []
    for grid in sheet.grids:
        columns = ""
        for column, numbers in zip(_columns(grid), numeric(grid), strict=True):
            columns += "r" if numbers else WRAPPED if max(map(len, column), default=0) > LONG else "l"
        texts = pd.DataFrame([list(map(_line, row)) for row in grid.rows], columns=list(grid.head), dtype=str)
        style = texts.style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
        caption = _set(". ".join(filter(None, [sheet.title, grid.title])))
        written = str(style.to_latex(hrules=True, position="htbp", caption=caption, column_format=columns))
        table = OPTION.sub("{}", written.translate(OTHER_LETTERS))
        fitted = table.replace(r"\begin{tabular}", "\\begin{adjustbox}{max width=\\linewidth}\n\\begin{tabular}")
        parts.append(fitted.replace(r"\end{tabular}", "\\end{tabular}\n\\end{adjustbox}"))
    return "\n".join([*parts, *(f"{{\\footnotesize {_set(note)}\\par}}\n" for note in sheet.notes)])


def _set(text: str) -> str:
    return text.translate(ESCAPES).translate(OTHER_LETTERS)
