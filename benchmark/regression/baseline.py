"""New results in the place of old ones, as what later results are compared with, or what is stored of a profile."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.regression.comparison import Comparison, compare
from benchmark.results.rows import FOLDER

TEXTS = ("*.csv", "*.md", "*.tex")
PARTS = (*TEXTS, "metrics", FOLDER, *(f"paper/{kind}" for kind in TEXTS))  # of a baseline
OPTIONAL = (("paper/*.png", "figures/*.png"), ("report.html",))  # of one that has some; made from the rows if wanted
MADE_AGAIN = ("report.html", "figures")
FOLDERS = ("metrics", FOLDER, "paper", "figures")
KEPT = "README.md"  # written by hand
GENERATORS = "generators"  # put there by `benchmark export`


def update(old: Path, new: Path, comparison: Comparison) -> None:
    """Make the folder `old` hold the PARTS of `new`, and pictures and report if it has some. All else in it stays.

    What `new` lacks of them is removed.

    A copy of the folder is made beside it, changed, and swapped with it: until then the old results stay as they are.

    Args:
        old: a folder of results.
        new: another.
        comparison: of the two.

    Raises:
        BenchmarkError: either is no folder of results, a part of `old` is a link to another folder, or `new` has fewer
            training seeds where both have measured, so that the spread between them would be lost.
    """
    _check(old, new)
    _refuse_fewer(old, new, comparison)
    _replace(old, new, (*PARTS, *(part for parts in OPTIONAL if _found(old, parts) for part in parts)))


def _refuse_fewer(old: Path, new: Path, comparison: Comparison) -> None:
    if comparison.fewer:
        seeds = ", ".join(comparison.fewer)
        raise BenchmarkError(
            f"{new} has fewer training seeds than {old}, whose spread would be lost ({seeds}); "
            "`benchmark run --seeds N` makes more"
        )


def store(folder: Path, new: Path) -> None:
    """Make `folder`, new or not, hold the PARTS of `new`, the pictures of the paper's exhibits and that of all methods.

    Other pictures and the report are left out, as `benchmark report` makes them from the rows. All else stays.

    Raises:
        BenchmarkError: `new` is no folder of results or has fewer training seeds than what `folder` holds, or a part of
            `folder` is a link to another folder.
    """
    _check(new)
    if (folder / FOLDER).is_dir():
        _refuse_fewer(folder, new, compare(folder, new))
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder, new, (*PARTS, "paper/*.png", "figures/methods.png"), MADE_AGAIN)


def _check(*folders: Path) -> None:
    for path in folders:
        if not (path / FOLDER).is_dir() and not (path / "identity.csv").is_file():
            raise BenchmarkError(f"{path} is no folder of results: it has neither {FOLDER}/ nor identity.csv")


def _replace(old: Path, new: Path, wanted: Sequence[str], unwanted: Sequence[str] = ()) -> None:
    """Replace what matches `wanted` in `old` by that of `new`, and remove what matches `unwanted`."""
    for link in filter(Path.is_symlink, (old / part for part in FOLDERS)):
        raise BenchmarkError(f"{link} is a link to another folder; the folder itself is needed there")
    try:
        _rebuild(old.resolve(), new, wanted, unwanted)
    except shutil.Error as error:  # of copytree, a list of what could not be copied and why
        raise BenchmarkError(f"{old} is unchanged, as something could not be copied: {error.args[0][0][2]}") from error


def _rebuild(old: Path, new: Path, wanted: Sequence[str], unwanted: Sequence[str]) -> None:
    made, aside = (old.with_name(f".{old.name}.{os.getpid()}.{role}") for role in ("part", "old"))
    try:
        shutil.copytree(old, made, symlinks=True)
        for path in _found(made, (*wanted, *unwanted)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)  # it may lie in a folder removed before
        for path in _found(new, wanted):
            target = made / path.relative_to(new)
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, target)
        _swap(old, made, aside)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _found(folder: Path, parts: Iterable[str]) -> list[Path]:
    return sorted({path for part in parts for path in folder.glob(part)} - {folder / KEPT})


def _swap(old: Path, made: Path, aside: Path) -> None:
    """Put `made` in the place of `old`; a kill between the two steps leaves the old folder complete as `aside`."""
    try:
        old.rename(aside)
        made.rename(old)
    except BaseException:
        if not old.exists():
            aside.rename(old)
        raise
    shutil.rmtree(aside)
