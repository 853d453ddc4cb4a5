"""CSV files that people write: read as text, checked, and refused with the file and the line."""

import csv
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TextIO

import pandas as pd

from benchmark.config.settings import Data, did_you_mean
from benchmark.data import tree
from benchmark.errors import BenchmarkError, shown

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
SEP = r"[sS]ep=(.?)"  # what spreadsheets write above the names of the columns
MOST = 12  # columns that an error names
CORNERS = ["x0", "y0", "x1", "y1"]
LARGEST = 1e6  # no picture has a coordinate beyond it, so a larger one is a slip of the pen


def locate(settings: Data, root: Path, default: str) -> Path | None:
    """Return the CSV named by `settings.annotations`, or `default` in `root`; null if there is only no default.

    A relative name is looked for in `root`, then in the working folder.

    Raises:
        BenchmarkError: `settings.annotations` names a file that does not exist, or the default lies outside `root`.
    """
    name = settings.annotations or default
    if not settings.annotations:
        tree.check([default], root)
    found = next((path for path in (root / name, Path(name)) if path.is_file()), None)
    if found is None and settings.annotations:
        raise BenchmarkError(
            f"{name} is no file, neither in {root} nor in the working folder; correct data.annotations"
        )
    return found


def read(path: Path, required: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a UTF-8 CSV as stripped strings, indexed by line number.

    It is read as spreadsheets write it: separated by commas, semicolons or tabs (what most columns of `required` are
    found with), with or without a byte order mark, quotes, `sep=;` in a line of its own, and empty columns at the end.

    Raises:
        BenchmarkError: the file is no UTF-8 CSV, lacks a column of `required`, or a row has too few or many fields.
    """
    separator, rows = _rows(path, required)
    first, header = rows.pop(0) if rows else (1, [])
    while header and not header[-1] and not any(row[-1] for _, row in rows if len(row) == len(header)):
        rows = [(line, row[:-1] if len(row) == len(header) else row) for line, row in rows]
        header.pop()
    for column in required:
        if column not in header:
            found = f"found {', '.join(map(shown, header[:MOST])) or 'nothing'}, separated by {SEPARATORS[separator]}"
            raise BenchmarkError(
                f"{path}, line {first}: there is no column {column}{did_you_mean(column, header)} ({found}); the first "
                f"line must name the columns, such as {', '.join(required)}"
            )
    if len(set(header)) != len(header):
        raise BenchmarkError(f"{path}, line 1: a column stands there twice; remove one of them")
    for line, row in rows:
        if len(row) != len(header):
            raise BenchmarkError(f"{path}, line {line}: expected {len(header)} fields as in the header, got {len(row)}")
        if any("\0" in field for field in row):
            raise BenchmarkError(f"{path}, line {line}: there is a NUL byte; save the file as plain text")
    lines = pd.Index([line for line, _ in rows], dtype=int)
    return pd.DataFrame([row for _, row in rows], index=lines, columns=header, dtype=str)


def _rows(path: Path, required: Sequence[str]) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the separator of a CSV, and the stripped fields of each row that has any, with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = _separator(file, required)
            reader = csv.reader(file, delimiter=separator, strict=True)
            rows = [(reader.line_num, [field.strip() for field in row]) for row in reader if any(row)]
    except UnicodeDecodeError:
        raise BenchmarkError(f"{path} is not UTF-8; save it as CSV with the encoding UTF-8") from None
    except csv.Error as error:
        raise BenchmarkError(f"{path}, line {reader.line_num}: {error}; correct the quotes and commas") from None
    return separator, rows[1:] if rows and re.fullmatch(SEP, "".join(rows[0][1])) else rows


def _separator(file: TextIO, required: Sequence[str]) -> str:
    """Return the separator of a CSV that is open at its beginning, where it is left."""
    line = file.readline().strip()
    if told := re.fullmatch(SEP, line):
        line = file.readline()
    file.seek(0)
    if told and told[1] in SEPARATORS:
        return told[1]
    names = {each: {name.strip().strip('"').strip() for name in line.split(each)} for each in SEPARATORS}
    return max(SEPARATORS, key=lambda each: (len(names[each] & {*required}), len(names[each])))  # a tie: the comma


def refuse(path: Path, values: pd.Series, bad: pd.Series, message: str) -> None:
    """Raise a BenchmarkError with `message` for the first of the `values` that is `bad`."""
    if bad.any():
        first = int(bad.to_numpy(bool).argmax())
        where = f"{path}, line {values.index[first]}: {values.name}"
        raise BenchmarkError(f"{where} {shown(values.iloc[first])} {message}")


def unmatched(path: Path, names: Collection[str], known: Collection[str], form: str) -> tuple[str, ...]:
    """Return a sentence on the images of a CSV that are not there, none if all are.

    Args:
        path: the CSV.
        names: its images, as `known` writes them.
        known: the images that are there.
        form: how the CSV must name an image.

    Raises:
        BenchmarkError: none of them is there.
    """
    lost = [name for name in names if name not in known]
    if not lost:
        return ()
    said = f"of its {len(names):,} entries match no image, such as {shown(lost[0])}; an image is named {form}"
    if len(lost) == len(names) and known:
        raise BenchmarkError(f"{path}: all {said}, such as {shown(min(known))}")
    return (f"{path}: {len(lost):,} {said}",)


def numbers(path: Path, values: pd.Series) -> pd.Series:
    """Return strings as floats.

    Raises:
        BenchmarkError: one of them is no number between -1e6 and 1e6.
    """
    result = pd.to_numeric(values, errors="coerce").astype(float)
    refuse(
        path,
        values,
        ~(result.abs() <= LARGEST),
        f"is no number between {-LARGEST:.0f} and {LARGEST:.0f}, with a point before decimals",
    )
    return result


def boxes(path: Path, frame: pd.DataFrame) -> pd.Series:
    """Return `[x0, y0, x1, y1]` or null for each row, from the columns x0, y0, x1, y1 or `box` (`x0 y0 x1 y1`).

    Raises:
        BenchmarkError: a box is given and is not four numbers with x0 < x1 and y0 < y1.
    """
    missing = [column for column in CORNERS if column not in frame.columns]
    if not missing:
        joined = frame["x0"] + " " + frame["y0"] + " " + frame["x1"] + " " + frame["y1"]
        text = joined.str.strip().rename("x0 y0 x1 y1")
    elif len(missing) < len(CORNERS):
        raise BenchmarkError(f"{path}, line 1: there is no column {missing[0]}; a box needs {', '.join(CORNERS)}")
    else:
        text = frame["box"] if "box" in frame.columns else pd.Series("", frame.index, dtype=str, name="box")
    result = pd.Series(None, frame.index, dtype=object)
    given = text[text != ""]
    if given.empty:
        return result
    corners = given.str.split().map(lambda fields: fields if len(fields) == 4 else ["nan"] * 4)
    edges = pd.DataFrame(corners.tolist(), given.index, CORNERS).apply(pd.to_numeric, errors="coerce")
    fits = edges.abs().le(LARGEST).all(axis=1) & (edges.x0 < edges.x1) & (edges.y0 < edges.y1)
    refuse(path, given, ~fits, "is no box; expected four numbers x0 y0 x1 y1 with x0 < x1 and y0 < y1")
    result.loc[given.index] = pd.Series(edges.to_numpy(float).tolist(), given.index, dtype=object)
    return result
