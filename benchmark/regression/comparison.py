"""Old results against new ones: what has moved, what else differs, and whether tables are what their rows give."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.errors import BenchmarkError
from benchmark.regression import reading, tolerance
from benchmark.regression.differences import differences
from benchmark.regression.reading import Results
from benchmark.results.rows import DIGITS, FACTS, FOLDER

LAST_DIGIT = 1.5 * 10**-DIGITS  # of a table, which rounding may turn
Environment = Mapping[str, str]  # value by dotted key, both as text
ABSENT = "not there"


@dataclass(frozen=True)
class Comparison:
    """The changes from old results to new ones.

    Attributes:
        rows: the table of `tolerance.judged`.
        unknown: measurements for which the old results record no spread between training seeds.
        fewer: models or controls that have fewer training seeds in the new results, each in words.
        environment: settings, sources, versions, machine and failures that differ, in words.
        contradictions: sides whose tables are not what their stored rows give, each in a sentence.
    """

    rows: pd.DataFrame
    unknown: Sequence[str]
    fewer: Sequence[str]
    environment: Sequence[str]
    contradictions: Sequence[str]

    @property
    def moved(self) -> bool:
        """Return whether any row is other than within its tolerance, or tables contradict their stored rows."""
        return bool((self.rows["status"] != tolerance.WITHIN).any() or self.contradictions)


def compare(old: Path, new: Path) -> Comparison:
    """Compare two results; a single file with its counterpart in the other results.

    Args:
        old: a folder of results, or a table or Parquet file of one, which also gives the tolerances.
        new: another.

    Raises:
        BenchmarkError: either is missing or damaged, or they have nothing in common.
    """
    before, after = reading.read(old), reading.read(new)
    if old.is_file() or new.is_file():
        kinds = {key.kind for key in before} & {key.kind for key in after}
        before, after = ({key: each[key] for key in each if key.kind in kinds} for each in (before, after))
    both = sorted(before.keys() & after.keys())
    if not both:
        raise BenchmarkError(f"{old} and {new} have no measurement of any model in common; nothing can be compared")
    recorded = tolerance.variances(before)
    known = set(recorded.index.get_level_values("measurement"))
    seeds = {key: (before[key].seeds, after[key].seeds) for key in both}
    return Comparison(
        rows=tolerance.judged(differences(before, after), recorded, tolerance.over_images(before)),
        unknown=[each for each in dict.fromkeys(key.measurement for key in both) if each not in known],
        fewer=sorted({f"{key.model} {now} instead of {then}" for key, (then, now) in seeds.items() if now < then}),
        environment=_changes(_environment(old), _environment(new)),
        contradictions=[
            *_contradictions("old", before, reading.tables(old)),
            *_contradictions("new", after, reading.tables(new)),
        ],
    )


def _contradictions(side: str, rows: Results, tables: Results) -> Iterator[str]:
    """Yield a sentence if rates in the tables are not those of the stored rows, or one has rates that the other lacks.

    Old and new rates are taken from stored rows by the code at hand, so a change of it moves both alike. What it gave
    when the results were made stands in their tables.

    Args:
        side: `old` or `new`.
        rows: what the stored rows give.
        tables: what the tables say; what is of identity or few-shot is compared if both have that.
    """
    kinds = {key.kind for key in rows} & {key.kind for key in tables}
    if not kinds:
        return
    means = [
        pd.concat({(key.measurement, key.model): each.means for key, each in results.items() if key.kind in kinds})
        for results in (rows, tables)
    ]
    found = pd.DataFrame(dict(zip(("rows", "tables"), means, strict=True)))
    same = ((found["rows"] - found["tables"]).abs() <= LAST_DIGIT) | found.isna().all(axis=1)
    for name, first in found[~same].head(1).iterrows():
        values = f"{100 * first['tables']:.4f} % in the table, {100 * first['rows']:.4f} % from the rows"
        yield f"{side}: {(~same).sum()} of {len(found)} rates, such as {', '.join(map(str, name))}: {values}"


def _environment(path: Path) -> Environment:
    """Return the stored facts that belong to a results folder or to a file of it; empty where none are stored.

    They are read as they are: an older version may have had other settings.

    Raises:
        BenchmarkError: they are damaged.
    """
    folder = path if path.is_dir() else path.parent.parent if path.parent.name == FOLDER else path.parent
    file = folder / FOLDER / FACTS
    if not file.is_file():
        return {}
    with reading.explained(file):
        facts = json.loads(file.read_text(encoding="utf-8"))
        failed = {each["cell"]: f"{each['status']}, {each['reason']}" for each in facts.get("failed", ())}
        return dict(_flat(facts | {"failed": failed}))


def _flat(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(each, f"{key}.{name}" if key else name)
    else:
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _changes(old: Environment, new: Environment) -> list[str]:
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
