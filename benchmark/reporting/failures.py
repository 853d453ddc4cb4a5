"""Trainings and measurements that are not in the tables, and why."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, field_validator

LONGEST = 300  # letters of a reason
FOLDERS = {"models": "", "identity": "identity", "fewshot": "fewshot"}  # of a run, and the measurement in each
CELL = re.compile(r"(models|identity|fewshot)/(.+)/seed(\d+)(?:/(?:outputs|(\w+)/nc(\d+)))?", re.DOTALL)

Part = tuple[str, int] | None  # split and number of classes; None: the whole of a measurement


class Failure(BaseModel):
    """A training or measurement that is not in the tables.

    Attributes:
        cell: its folder within the run, such as `models/ours/seed0`.
        status: as recorded: running, interrupted, diverged, failed, damaged, or `out of date`.
        reason: in words, one line of LONGEST letters at most; empty where the process has ended without one, as when
            it is killed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: str
    status: str
    reason: str

    @field_validator("reason", mode="before")
    @classmethod
    def _shown(cls, reason: str) -> str:
        """Return what can be shown of a text that can hold anything, such as the message of a plug-in's exception."""
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in reason).split())
        return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"

    @property
    def why(self) -> str:
        """The reason, never empty."""
        return self.reason or "begun and not finished; the same command again goes on with it"

    @property
    def model(self) -> str:
        """Name of the model or control, empty for a cell of none."""
        return _place(self.cell).model

    @property
    def seed(self) -> int:
        """Training seed, -1 for a cell of no model."""
        return _place(self.cell).seed

    @property
    def measurement(self) -> str:
        """`identity` or `fewshot`, empty for a training and for a cell of no model."""
        return _place(self.cell).measurement

    @property
    def part(self) -> Part:
        """Split and number of classes, None where the cell has no single ones."""
        return _place(self.cell).part

    @property
    def step(self) -> str:
        """What was done, as it stands before a training seed in a sentence."""
        if self.measurement == "identity":
            return "measuring" if self.part else "generating with"
        return "few-shot recognition with" if self.measurement else "training"

    def follows(self, other: "Failure") -> bool:
        """Whether another failure explains this one, which is made from what is missing there."""
        if not self.measurement or (self.model, self.seed) != (other.model, other.seed):
            return False
        return not other.measurement or (self.measurement == other.measurement and bool(self.part) > bool(other.part))


class Place(NamedTuple):
    """What the name of a cell says."""

    measurement: str = ""
    model: str = ""
    seed: int = -1
    part: Part = None


@cache
def _place(cell: str) -> Place:
    found = CELL.fullmatch(cell)
    if not found:
        return Place()
    folder, model, seed, split, nc = found.groups()
    return Place(FOLDERS[folder], model, int(seed), (split, int(nc)) if nc else None)


def causes(failed: Iterable[Failure]) -> tuple[Failure, ...]:
    """Return the failures without those that follow from another one."""
    every = tuple(failed)
    return tuple(each for each in every if not any(map(each.follows, every)))


def sentence(failed: Sequence[Failure]) -> str:
    """Return the failures of one model in words, those that differ in their seed or part alone together."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for each in sorted(failed, key=lambda each: each.seed):
        alike.setdefault((each.step, f"{each.status}: {each.why}"), []).append(each)
    return "; ".join(f"{step} {_whose(group)} {said}" for (step, said), group in alike.items())


def _whose(group: Sequence[Failure]) -> str:
    """Return the seeds in words, and the part of the measurement if there is a single one."""
    part, *others = {each.part for each in group}
    where = f" ({part[0]} split, {part[1]} classes)" if part and not others else ""
    return seeds(each.seed for each in group) + where


def seeds(numbers: Iterable[int]) -> str:
    """Return training seeds in words, such as `seeds 0 and 2`."""
    *first, last = map(str, sorted(set(numbers)))
    return f"seeds {', '.join(first)} and {last}" if first else f"seed {last}"
