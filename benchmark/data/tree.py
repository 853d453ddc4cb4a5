"""The files of a data set: those under its root, and no others."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Never

from benchmark.config.values import CONTROL
from benchmark.errors import BenchmarkError, shown

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp", ".gif", ".jp2")  # endings


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder in `folder` as a relative path, with the sorted names of all that is in it.

    Raises:
        BenchmarkError: a folder is a link, which is not followed, or cannot be read.
    """

    def refuse(error: OSError) -> Never:
        raise BenchmarkError(f"{error.filename} cannot be read: {error.strerror}; make it accessible or remove it")

    for parent, folders, files in os.walk(folder, onerror=refuse):
        for name in folders:
            if Path(parent, name).is_symlink():
                raise BenchmarkError(f"{Path(parent, name)} is a link to a folder; put the folder itself there")
        yield Path(parent).relative_to(folder), sorted([*folders, *files])


def is_picture(name: str) -> bool:
    """Return whether a file is a picture by its name; one that begins with a point is a system's own file."""
    return name[:1] != "." and PurePosixPath(name).suffix.lower() in PICTURES


def check(files: Iterable[str], root: Path) -> None:
    """Check paths relative to `root`.

    Raises:
        BenchmarkError: one of them leads out of `root`, or has a name that cannot be written down.
    """
    files = list(files)
    for file, out in zip(files, leaving(files, root), strict=True):
        if CONTROL.search(file):
            raise BenchmarkError(f"{root}: {shown(file)} has a control character, or is not UTF-8; rename it")
        if out:
            raise BenchmarkError(f"{file} leads out of {root}; put the file itself there instead of a link")


def leaving(files: Iterable[str], root: Path) -> Iterator[bool]:
    """Say of each path relative to `root` whether `..`, a slash in front or a link lead out of it, or in circles."""
    inside, folders = root.resolve(), dict[Path, bool]()
    for file in files:
        path = root / file
        if path.parent not in folders:
            folders[path.parent] = _within(path.parent, inside)
        linked = ".." in PurePosixPath(file).parts or path.is_symlink()
        yield not folders[path.parent] or (linked and not _within(path, inside))


def _within(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a link that leads in circles
        return False
