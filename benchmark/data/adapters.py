"""Reading a data set by its name."""

import ast
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmark.config.datasets import READERS
from benchmark.config.settings import Data
from benchmark.data.manifest import Reading
from benchmark.errors import BenchmarkError


def describe() -> dict[str, str]:
    """Return one line for each data set: the first of its module's docstring."""
    lines = {}
    for name, module in READERS.items():
        spec = find_spec(module)
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        lines[name] = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return lines


def read(settings: Data, root: Path) -> Reading:
    """Read the data set `settings.dataset` in the folder `root`; an image without a group is one of its own.

    Raises:
        BenchmarkError: the folder is missing, holds no usable image, a file in it is wrong, or an image lies outside.
    """
    if not root.is_dir():
        raise BenchmarkError(f"{root} is no folder; data.root must name the folder of the data set {settings.dataset}")
    reading: Reading = import_module(READERS[settings.dataset]).read(settings, root)
    if reading.manifest.empty:
        dropped = ", ".join(f"{count} {reason}" for reason, count in reading.dropped.items() if count)
        found = f" (dropped {dropped})" if dropped else ""
        raise BenchmarkError(f"no images found under {root}{found}; check data.root and data.dataset")
    frame = reading.manifest
    return replace(reading, manifest=frame.assign(group=frame["group"].fillna(frame["image"])))
