"""Gaps of a table: rows of dashes for models without a measurement, and footnotes for all that is missing."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce

from benchmark.reporting.order import place
from benchmark.results.records import Failure, Part
from benchmark.results.rows import Rows

NONE = "-"


@dataclass(frozen=True)
class Gaps:
    """The gaps of one measurement.

    Attributes:
        failures: training runs and measurements that are not there, by model or control.
        there: the training seeds that are there, by part of the measurement and model.
    """

    failures: Mapping[str, Sequence[Failure]] = field(default_factory=dict)
    there: Mapping[Part, Mapping[str, Set[int]]] = field(default_factory=dict)

    def missing(self, *parts: Part) -> list[str]:
        """Return the models that have failed and have no training seed in any of these parts, in order."""
        failed = (model for model in sorted(self.failures, key=place) if self.footnote(model, *parts))
        return [model for model in failed if not any(self._seeds(model, parts))]

    def footnote(self, model: str, *parts: Part) -> str:
        """Return what has to be said of a row of these parts: its seeds, and why others are missing.

        Parts that are measured of no model count for nothing. The text is empty where no seed is missing.
        """
        found = self._seeds(model, parts)
        gone = [each for each in self.failures.get(model, ()) if any(each.seed not in own for own in found)]
        if not gone:
            return ""
        alike = all(own == found[0] for own in found)
        return f"over {seeds(found[0])}; {sentence(gone)}" if alike and found[0] else sentence(gone)

    def _seeds(self, model: str, parts: Iterable[Part]) -> list[Set[int]]:
        return [self.there[part].get(model, frozenset()) for part in parts if part in self.there]


COMPLETE = Gaps()


def gaps(measurement: str, failed: Iterable[Failure], measured: Iterable[tuple[str, Part, Iterable[int]]]) -> Gaps:
    """Return what is missing of a measurement.

    Args:
        measurement: `identity` or `fewshot`.
        failed: training runs and measurements; those of the other measurement and of no model are left out.
        measured: model or control, part, and training seeds of everything that is there.
    """
    failures: dict[str, list[Failure]] = {}
    for each in failed:
        if each.model and each.measurement in ("", measurement):
            failures.setdefault(each.model, []).append(each)
    there: dict[Part, dict[str, Set[int]]] = {}
    for model, part, own in measured:
        there.setdefault(part, {})[model] = frozenset(map(int, own))
    return Gaps(failures, there)


def identity_gaps(rows: Rows) -> Gaps:
    """Return what is missing of the identity measurement, whose parts are splits with their N_c."""
    measured = ((each.model, (each.split, each.nc), each.outcomes["seed"].unique()) for each in rows.identity)
    return gaps("identity", rows.facts.failed, measured)


def fewshot_gaps(rows: Rows) -> Gaps:
    """Return what is missing of the few-shot measurement, which has no parts; a training run that it skips is not."""
    measured = ((each.model, None, each.outcomes["seed"].unique()) for each in rows.fewshot)
    skipped = rows.facts.settings.fewshot.skip
    wanted = (each for each in rows.facts.failed if each.measurement or each.model not in skipped)
    return gaps("fewshot", wanted, measured)


class Footnotes:
    """The footnotes of one sheet, numbered as they appear; equal texts are one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, name: str, text: str) -> str:
        """Return a name with the number of its footnote, alone where there is nothing to say."""
        return f"{name} [{self._numbers.setdefault(text, len(self._numbers) + 1)}]" if text else name

    def mark_all(self, name: str, texts: Iterable[str]) -> str:
        """Return a name with the numbers of several footnotes."""
        return reduce(self.mark, texts, name)

    @property
    def notes(self) -> list[str]:
        """The paragraphs below the tables."""
        return [f"[{number}] {text}" for text, number in self._numbers.items()]


def dashes(head: Sequence[str]) -> list[object]:
    """Return the cells of a row behind its name."""
    return [NONE] * (len(head) - 1)


def sentence(failed: Sequence[Failure]) -> str:
    """Return the failures of one model in words, those that differ in their seed or part alone together."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for each in sorted(failed, key=lambda each: each.seed):
        alike.setdefault((each.step, f"{each.status}: {each.why}"), []).append(each)
    said = []
    for (step, words), group in alike.items():
        part, *others = {each.part for each in group}
        where = f" ({part[0]} split, {part[1]} classes)" if part and not others else ""
        said.append(f"{step} {seeds(each.seed for each in group)}{where} {words}")
    return "; ".join(said)


def seeds(numbers: Iterable[int]) -> str:
    """Return training seeds in words, such as `seeds 0 and 2`."""
    *first, last = map(str, sorted(set(numbers)))
    return f"seeds {', '.join(first)} and {last}" if first else f"seed {last}"
