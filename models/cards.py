"""Cards of models: what a model says of itself, read from its source.

Nothing is imported: a list of models must come at once, and importing one takes the seconds that torch takes. What a
class leaves out is looked up in its bases, in the same file or in the files of `models` that it imports them from.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

Place = tuple[Path, str]  # a class: its file and its name

MODELS = Path(__file__).parent
ROOT: Place = (MODELS / "interface.py", "ViewModel")  # what makes a class a model


@dataclass(frozen=True)
class Card:
    """A model's entry in a list; `-` where its source does not say.

    Attributes:
        summary: first line of its docstring, or why there is none.
        citation: where the method is published.
        labels: which labels training uses.
        updates: steps of each network in one cycle.
    """

    summary: str
    citation: str = "-"
    labels: str = "-"
    updates: str = "-"


def read(source: Path, name: str = "") -> Card:
    """Return the card of the class `name`; without a name, of the one model that the file defines.

    A class is summed up by its own docstring; a file by that of the file, or of its class if the file has none.
    """
    try:
        if not name:
            public = [each for each in _classes(_parsed(source)) if not each.startswith("_")]
            models = [each for each in public if ROOT in lineage((source, each))]
            own = models[0] if len(models) == 1 else ""
        classes = list(lineage((source, name or own)).values())
        about_class = ast.get_docstring(classes[0]) if classes else None
        about_file = ast.get_docstring(_parsed(source))
    except (SyntaxError, ValueError, OSError) as error:
        return Card(f"cannot be read: {' '.join(str(error).split())}")
    docstring = about_class if name and classes else about_file or about_class
    stated = {key: _stated(classes, key) for key in ("citation", "labels", "updates")}
    return Card((docstring or "-").partition("\n")[0], **stated)


def lineage(place: Place) -> dict[Place, ast.ClassDef]:
    """Return a class and its bases, each followed by its own bases, as far as their files belong to `models`."""
    found: dict[Place, ast.ClassDef] = {}
    seen: set[Place] = set()
    waiting = [place]
    while waiting:
        path, name = place = waiting.pop()
        if place not in seen:
            seen.add(place)
            tree = _parsed(path)
            definition = _classes(tree).get(name)
            if definition:
                found[place] = definition
            named = [ast.unparse(base) for base in definition.bases] if definition else [name]  # else imported there
            waiting.extend(base for each in reversed(named) if (base := _place(path, tree, each)))
    return found


def _stated(classes: list[ast.ClassDef], key: str) -> str:
    """Return the first text, not an empty one, that a class or one of its bases gives to the attribute `key`."""
    for statement in (statement for node in classes for statement in node.body):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Constant):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            named = any(isinstance(target, ast.Name) and target.id == key for target in targets)
            if named and isinstance(statement.value.value, str) and statement.value.value:
                return statement.value.value
    return "-"


def _place(path: Path, tree: ast.Module, name: str) -> Place | None:
    """Return where the class is that `name` stands for in a file; None if that is in no file of `models`."""
    head, dot, rest = name.partition(".")
    full = _imported(tree).get(head)
    if full is None:
        return path, name
    *modules, last = f"{full}{dot}{rest}".split(".")
    file = MODELS.parent.joinpath(*modules).with_suffix(".py")
    return (file, last) if modules[0] == MODELS.name and file.is_file() else None


def _imported(tree: ast.Module) -> dict[str, str]:
    """Return what the imported names of a file stand for: after `from a.b import C as D`, D for a.b.C."""
    names: dict[str, str] = {}
    for node in tree.body:
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else []:
            first = alias.name.partition(".")[0]
            if isinstance(node, ast.ImportFrom):
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            else:
                names[alias.asname or first] = alias.name if alias.asname else first
    return names


def _classes(tree: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), path.name)
