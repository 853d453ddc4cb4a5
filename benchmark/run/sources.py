"""Source files that a computation depends on, read from the imports without importing anything."""

import ast
import hashlib
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError

PROJECT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("benchmark", "models", "pipelines", "rendered_cars")


def closure(*roots: str | Path, without: Iterable[str] = ()) -> list[Path]:
    """Return the project's files that `roots` (module names or files) import, directly or not, themselves included.

    Imports for types alone (`if TYPE_CHECKING:`) and the modules named in `without` are not followed. Of a file outside
    the project, modules beside it are followed, too.
    """
    left_out = {_file(module) for module in without}
    found: set[Path] = set()
    waiting = [root if isinstance(root, Path) else _file(root) for root in roots]
    while waiting:
        path = waiting.pop()
        if path is not None and path not in found and path not in left_out:
            found.add(path)
            waiting.extend(_imports(path))
    return sorted(found)


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """Return a hash of the code of each file under its label; comments and docstrings do not count."""
    return {label(path): code_hash(path) for path in paths}


def label(path: Path) -> str:
    """Return the path of a file in the project; of another, that below the folder of its outermost package."""
    if path.is_relative_to(PROJECT):
        return path.relative_to(PROJECT).as_posix()
    folder = path.resolve().parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return path.resolve().relative_to(folder).as_posix()


def remember() -> None:
    """Hash what is imported: what is edited from now on must not pass for what runs."""
    for path in filter(None, map(_file, list(sys.modules))):
        code_hash(path)


@cache
def code_hash(path: Path) -> str:
    """Return a hash of a file's code, the same for every version of Python, as it was when first asked for."""
    tree = _parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(repr(_said(tree)).encode()).hexdigest()[:16]


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise BenchmarkError(f"{path} is no valid Python: {' '.join(str(error).split())}") from None


def _said(node: Any) -> Any:
    """Return a syntax tree as lists, without fields that are empty: every version of Python gives the same."""
    if isinstance(node, list):
        return [_said(part) for part in node]
    if isinstance(node, ast.JoinedStr):  # Python 3.12.1 puts an empty text behind a nested format
        node.values = [part for part in node.values if not isinstance(part, ast.Constant) or part.value != ""]
    if not isinstance(node, ast.AST):
        return node
    fields = ((name, _said(value)) for name, value in ast.iter_fields(node))
    return [type(node).__name__, *((name, value) for name, value in fields if value not in (None, []))]


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: set[str] = set()
    waiting: list[ast.AST] = [_parsed(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _module(node, path)
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            names.add(node.value.partition(":")[0])  # imported by name later, such as "models.ours:Ours"
    with_parents = {".".join(name.split(".")[: n + 1]) for name in names for n in range(name.count(".") + 1)}
    beside = [] if path.is_relative_to(PROJECT) else [path.parent.joinpath(*name.split(".")) for name in names if name]
    siblings = [file for base in beside for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
    return tuple([file for name in sorted(with_parents) if (file := _file(name))] + sorted(siblings))


def _module(node: ast.ImportFrom, path: Path) -> str:
    """Return the full name of the module that `from ... import` in the file `path` names."""
    if not node.level or not path.is_relative_to(PROJECT):
        return node.module or ""
    return resolve_name("." * node.level + (node.module or ""), ".".join(path.relative_to(PROJECT).parent.parts))


def _file(module: str) -> Path | None:
    """Return the file of one of the project's modules, None for anything else."""
    if module.partition(".")[0] not in PACKAGES or not all(part.isidentifier() for part in module.split(".")):
        return None
    base = PROJECT.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def commit() -> str:
    """Return the commit that the project's files are from, `unknown` if they are in no repository of their own.

    It ends in `, changed` where tracked files differ from it.
    """
    git = ["git", "-C", str(PROJECT)]
    top, described = "rev-parse --show-toplevel", "describe --always --abbrev=12 --exclude=* --dirty"
    try:
        # fixed lists of words, no shell
        said = [
            subprocess.run([*git, *words.split()], capture_output=True, check=True, text=True).stdout.strip()  # noqa: S603 # nosec B603
            for words in (top, described)
        ]
        return said[1].replace("-dirty", ", changed") if Path(said[0]).samefile(PROJECT) else "unknown"
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
