"""Old results against new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.errors import BenchmarkError
from benchmark.regression import circumstances, reading, tolerance
from benchmark.regression.agreement import contradictions
from benchmark.regression.differences import differences
from benchmark.regression.recorded import Key, Results


@dataclass(frozen=True)
class Comparison:
    """What has moved from old results to new ones.

    Attributes:
        rows: the table of `tolerance.judged`.
        unknown: measurements for which the old results record no spread between training seeds.
        fewer: models or controls that have fewer training seeds in the new results, each in words.
        circumstances: what else differs, in words.
        contradictions: sides whose tables are not what their stored rows give, each in a sentence.
    """

    rows: pd.DataFrame
    unknown: Sequence[str]
    fewer: Sequence[str]
    circumstances: Sequence[str]
    contradictions: Sequence[str]

    @property
    def moved(self) -> bool:
        """Whether any row is other than within its tolerance, or tables contradict their stored rows."""
        return bool((self.rows["status"] != tolerance.WITHIN).any() or self.contradictions)


def compare(old: Path, new: Path) -> Comparison:
    """Compare two results; a single file with its counterpart in the other results.

    Args:
        old: a folder of results, or a table or Parquet file of one, which also gives the tolerances.
        new: another.

    Raises:
        BenchmarkError: either is missing or damaged, or they have nothing in common.
    """
    before, after = _shared(old, new)
    recorded = tolerance.variances(before)
    return Comparison(
        rows=tolerance.judged(differences(before, after), recorded, tolerance.over_images(before)),
        unknown=_unknown(before, after, recorded),
        fewer=_fewer(before, after),
        circumstances=circumstances.changes(circumstances.read(old), circumstances.read(new)),
        contradictions=[
            *contradictions("old", before, reading.tables(old)),
            *contradictions("new", after, reading.tables(new)),
        ],
    )


def _shared(old: Path, new: Path) -> tuple[Results, Results]:
    """Read both; of two of which one is a file, what is of the same kind."""
    before, after = reading.read(old), reading.read(new)
    if old.is_file() or new.is_file():
        kinds = {key.kind for key in before} & {key.kind for key in after}
        before, after = _of(before, kinds), _of(after, kinds)
    if not before.keys() & after.keys():
        raise BenchmarkError(f"{old} and {new} have no measurement of any model in common; nothing can be compared")
    return before, after


def _of(results: Results, kinds: set[str]) -> Results:
    return {key: each for key, each in results.items() if key.kind in kinds}


def _unknown(old: Results, new: Results, recorded: pd.DataFrame) -> list[str]:
    known = set(recorded.index.get_level_values("measurement"))
    measured = dict.fromkeys(key.measurement for key in sorted(old.keys() & new.keys()))
    return [each for each in measured if each not in known]


def _fewer(old: Results, new: Results) -> list[str]:
    seeds: dict[Key, tuple[int, int]] = {key: (old[key].seeds, new[key].seeds) for key in old.keys() & new.keys()}
    found = {f"{key.model} {after} instead of {before}" for key, (before, after) in seeds.items() if after < before}
    return sorted(found)
