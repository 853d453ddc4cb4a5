"""Changes of a run: of a setting, the data, a source, a version, or of a file that was made."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmark import environment
from benchmark.files import sha256
from benchmark.run import sources
from benchmark.run.cells import RECORD
from benchmark.run.workspace import Pictures, Run
from benchmark.training import compiling
from tests.stages import helpers
from tests.tools import PROJECT

Change = Callable[[Run, pytest.MonkeyPatch], Run]  # what is made of a run's files stands in its folder alone

PICTURE = "0_0.png"  # of an identity that is trained on


def pictures(edit: Callable[[NDArray[np.uint8]], None]) -> Change:
    """The pictures made elsewhere, brought once more."""

    def change(run: Run, patch: pytest.MonkeyPatch) -> Run:
        place = run.folder.parent / "brought"
        shutil.copytree(run.folder / "external/outside", place)
        content = np.load(place / "pictures.npy", mmap_mode="r+")
        edit(content)
        content.flush()
        return replace(run, pictures=Pictures("outside", place, sha256(place / "pictures.npy")))

    return change


def white(content: NDArray[np.uint8]) -> None:
    content[0, 1] = 255


def setting(key: str, value: Any) -> Change:
    return lambda run, patch: helpers.changed(run, **{key.replace(".", "__"): value})


def compiled(run: Run, patch: pytest.MonkeyPatch) -> Run:
    """By a compiler that takes no time: it calls what it is given."""
    patch.setattr(compiling, "BACKEND", "eager")
    return helpers.changed(run, training__compile=True)


def source(name: str) -> Change:
    """The code of one of the project's files, as far as its hash tells."""

    def change(run: Run, patch: pytest.MonkeyPatch) -> Run:
        path, hashed = PROJECT / name, sources.code_hash
        assert path.is_file()
        patch.setattr(sources, "code_hash", lambda file: "changed" if file == path else hashed(file))
        return run

    return change


def version(package: str) -> Change:
    def change(run: Run, patch: pytest.MonkeyPatch) -> Run:
        installed = environment.version
        patch.setattr(environment, "version", lambda name: "0.1" if name == package else installed(name))
        return run

    return change


def plugin(old: str, new: str) -> Change:
    """The file of the model."""

    def change(run: Run, patch: pytest.MonkeyPatch) -> Run:
        (before,) = run.plugins
        code, path = before.read_text(encoding="utf-8"), run.folder.parent / before.name
        assert old in code
        path.write_text(code.replace(old, new), encoding="utf-8")
        return replace(run, plugins=(path,))

    return change


def data(change: Callable[[Path], None]) -> Change:
    """The folder that holds `pictures` and `labels.csv`; the times of files that do not change stay."""

    def changed(run: Run, patch: pytest.MonkeyPatch) -> Run:
        folder = run.folder.parent / "data"
        shutil.copytree("pictures", folder / "pictures")
        shutil.copy2("labels.csv", folder)
        change(folder)
        return helpers.changed(run, data__root=str(folder / "pictures"), data__annotations=str(folder / "labels.csv"))

    return changed


def moved(folder: Path) -> None:
    pass


def repainted(folder: Path) -> None:
    Image.new("RGB", (24, 24)).save(folder / "pictures" / PICTURE)


def touched(folder: Path) -> None:
    os.utime(folder / "pictures" / PICTURE, (0, 0))


def removed(folder: Path) -> None:
    (folder / "pictures" / PICTURE).unlink()
    _relabelled(folder, lambda table: table[table["image"] != PICTURE])


def seen_from_the_right(folder: Path) -> None:
    _relabelled(folder, lambda table: table.assign(view=table["view"].where(table["image"] != PICTURE, "right")))


def listed_backwards(folder: Path) -> None:
    _relabelled(folder, lambda table: table.iloc[::-1])


def _relabelled(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    table = pd.read_csv(folder / "labels.csv")
    change(table).to_csv(folder / "labels.csv", index=False)


def written(name: str, edit: Callable[[bytes], bytes]) -> Change:
    """A file of the run, edited by hand."""

    def change(run: Run, patch: pytest.MonkeyPatch) -> Run:
        path = run.folder / name
        content = path.read_bytes()
        path.unlink()  # the file can be that of another run, too
        path.write_bytes(edit(content))
        return run

    return change


def altered(name: str) -> Change:
    """One bit of a file."""
    return written(name, lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])


def cut(name: str) -> Change:
    return written(name, lambda content: content[: len(content) // 2])


def unchanged(name: str) -> Change:
    return written(name, bytes)


def status(cell: str, word: str) -> Change:
    return written(f"{cell}/{RECORD}", lambda content: json.dumps({**json.loads(content), "status": word}).encode())


def gone(name: str) -> Change:
    def change(run: Run, patch: pytest.MonkeyPatch) -> Run:
        path = run.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return run

    return change
