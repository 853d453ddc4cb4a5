"""Under which circumstances two results were made: settings, sources, versions, machine, and what failed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmark.regression.reading import explained
from benchmark.results.rows import FACTS, FOLDER

Circumstances = Mapping[str, str]  # value by dotted key, both as text
ABSENT = "not there"


def read(path: Path) -> Circumstances:
    """Return the stored facts that belong to a results folder or to a file of it; empty where none are stored.

    They are read as they are: an older version may have had other settings.

    Raises:
        BenchmarkError: they are damaged.
    """
    folder = path if path.is_dir() else path.parent.parent if path.parent.name == FOLDER else path.parent
    file = folder / FOLDER / FACTS
    if not file.is_file():
        return {}
    with explained(file):
        facts = json.loads(file.read_text(encoding="utf-8"))
        failed = {each["cell"]: f"{each['status']}, {each['reason']}" for each in facts.get("failed", ())}
        return dict(_flat(facts | {"failed": failed}))


def _flat(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(each, f"{key}.{name}" if key else name)
    else:
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def changes(old: Circumstances, new: Circumstances) -> list[str]:
    """Return what differs, in words; that a model is in one alone is said by its rows."""
    if not old or not new:
        sides = " and ".join(side for side, facts in (("old", old), ("new", new)) if not facts)
        return [f"the {sides} results have no {FOLDER}/{FACTS}: settings, commit and machine are not compared"]
    pairs = {key: (old.get(key, ABSENT), new.get(key, ABSENT)) for key in {**old, **new}}
    return [
        f"`{key}`: {before} → {after}"
        for key, (before, after) in pairs.items()
        if before != after and not (key.startswith("trained.") and ABSENT in (before, after))
    ]
