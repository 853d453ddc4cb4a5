"""What a table lacks: rows of dashes for models without a measurement, and footnotes for all that is missing."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce

from benchmark.reporting.failures import Failure, Part, seeds, sentence

NONE = "-"


@dataclass(frozen=True)
class Gaps:
    """What is missing of one measurement.

    Attributes:
        failures: trainings and measurements that are not there, by model or control.
        there: the training seeds that are there, by part of the measurement and model.
    """

    failures: Mapping[str, Sequence[Failure]] = field(default_factory=dict)
    there: Mapping[Part, Mapping[str, Set[int]]] = field(default_factory=dict)

    def missing(self, *parts: Part) -> list[str]:
        """Return the models that have failed and have no training seed in any of these parts, by name."""
        failed = (model for model in sorted(self.failures) if self.footnote(model, *parts))
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
        failed: trainings and measurements; those of the other measurement and of no model are left out.
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
