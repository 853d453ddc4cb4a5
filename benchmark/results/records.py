"""Records of measurements: outcomes of models and controls, their origin, and what is missing."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict, field_validator

from benchmark.config.settings import RENAMED, Profile
from benchmark.evaluation.statistics import Totals, totals
from benchmark.results.rates import ACCURACY, all_rates, view_weights

LONGEST = 300  # letters of a reason
FOLDERS = {"models": "", "identity": "identity", "fewshot": "fewshot"}  # of a run, and the measurement in each
CELL = re.compile(r"(models|identity|fewshot)/(.+)/seed(\d+)(?:/(?:outputs|(\w+)/nc(\d+)))?", re.DOTALL)

Part = tuple[str, int] | None  # split and number of classes; None: the whole of a measurement


@dataclass(frozen=True)
class Trained:
    """On which terms a model was trained; a control was not.

    Attributes:
        map: side of the map its connection sits on, or `-`.
        parameters: trainable parameters of the generator.
        images: real images used by generator-side updates.
        batch_size: images in one batch.
        auxiliary_images: images of the training set.
        warm_up_steps: steps in which a network was trained on real images before the cycles: the discriminator, or S of
            Two-Step.
    """

    map: str = "-"
    parameters: int | None = None
    images: int | None = None
    batch_size: int | None = None
    auxiliary_images: int | None = None
    warm_up_steps: int = 0  # rows stored earlier do not have it


@dataclass(frozen=True)
class Measured:
    """The outcomes of one row of the tables for one split and number of classes, over all its training seeds.

    Attributes:
        model: name of the model or control, or of pictures made elsewhere.
        trained: on which terms.
        split: `random` or `grouped`.
        nc: number of classes.
        outcomes: the outcomes of `evaluation.identity`, with a column `seed`.
        left_out: standard identities that the split cannot use.
    """

    model: str
    trained: Trained
    split: str
    nc: int
    outcomes: pd.DataFrame
    left_out: int = 0

    @cached_property
    def totals(self) -> Totals:
        """ALL_RATES of the outcomes, added up by image."""
        return totals(all_rates(self.outcomes, self.nc), self.outcomes, view_weights(self.outcomes))


@dataclass(frozen=True)
class Recognised:
    """Few-shot outcomes of one model or control, over all its training seeds.

    Attributes:
        model: name of the model or control.
        trained: on which terms.
        outcomes: the outcomes of `evaluation.fewshot`, with a column `seed`.
    """

    model: str
    trained: Trained
    outcomes: pd.DataFrame

    def totals(self, shot: int) -> Totals:
        """Return the accuracy with so many shots, added up by image."""
        rows = self.outcomes[self.outcomes["shots"] == shot]
        return totals(pd.DataFrame({ACCURACY: rows["right"].astype(float)}), rows)


class Failure(BaseModel):
    """A training run or measurement that is not in the tables.

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
        return self.reason or "begun and not finished; the same command resumes it"

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
        """`identity` or `fewshot`, empty for a training run and for a cell of no model."""
        return _place(self.cell).measurement

    @property
    def part(self) -> Part:
        """Split and number of classes, None where the cell has no single ones."""
        return _place(self.cell).part

    @property
    def step(self) -> str:
        """Return what was done, as it stands before a training seed in a sentence."""
        if self.measurement == "identity":
            return "measuring" if self.part else "generating with"
        return "few-shot recognition with" if self.measurement else "training"

    def follows(self, other: "Failure") -> bool:
        """Return whether another failure explains this one, which is made from what is missing there."""
        if not self.measurement or (self.model, self.seed) != (other.model, other.seed):
            return False
        return not other.measurement or (self.measurement == other.measurement and bool(self.part) > bool(other.part))


class Place(NamedTuple):
    """The parts of a cell's name."""

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


class Judge(BaseModel):
    """One of the two networks that judge generated images, on held-out images of its training identities.

    Attributes:
        accuracy: mean over its classes of the share of their images that are right, None if none was held out.
        lowest: the lowest share of a class.
        images: held-out images.
        classes: classes that have some.
        epochs: of its training run.
        converged: whether that ended because the accuracy no longer rose, and not with the epochs that are allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float | None
    lowest: float | None
    images: int
    classes: int
    epochs: int
    converged: bool


class Validated(BaseModel):
    """Rates of a model of own images on validation identities, on the random split with the most classes.

    Attributes:
        nc: number of classes.
        identities: that nothing was trained on.
        rate: joint on other views.
        low: lower end of its 95 % interval.
        top1: identity, on other views.
        view: view accuracy, on other views.
        mean_image: joint on other views of that control.
        real: top-1 of real images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nc: int
    identities: int
    rate: float
    low: float
    top1: float
    view: float
    mean_image: float
    real: float

    @property
    def lower_bound(self) -> float:
        """The rate of what knows no identity: chance, or that of the mean image where classes are of uneven sizes."""
        return max(1 / self.nc, self.mean_image)


class Facts(BaseModel):
    """The origin of the rows of results.

    Attributes:
        name: of the run, stamped on every table.
        settings: the profile with what the command line changed.
        commit: of the sources, `unknown` outside a repository; ends in `, changed` where files differ from it.
        versions: of Python and the packages that decide numbers.
        devices: what the training runs ran on, such as the processor's or the GPU's name.
        counts: identities and images of each part of the data, such as `{"standard": {"identities": 80, ...}}`.
        trained: on which terms each model was trained.
        left_out: standard identities that each split cannot use.
        failed: what is missing in the tables, and why; not what is missing because of another one here.
        judges: the networks for `identity` and `view`; rows stored earlier do not have them.
        estimated: which labels of the data are estimates, and how sure, as a sentence; empty where none are.
        validated: models of own images on validation identities, where there are some.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: Profile
    commit: str
    versions: dict[str, str]
    devices: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    trained: dict[str, Trained]
    left_out: dict[str, int]
    failed: tuple[Failure, ...] = ()
    judges: dict[str, Judge] = {}
    estimated: str = ""
    validated: dict[str, Validated] = {}

    @property
    def label(self) -> str:
        """Return the heading of tables and figures: the profile; for own images the run, and their folder."""
        return self.settings.data.label(self.name)

    @field_validator("settings", mode="before")
    @classmethod
    def _known(cls, settings: Any) -> Any:
        """Return stored settings without those that are no more and that changed no value."""
        training = settings.get("training") if isinstance(settings, dict) else None
        if isinstance(training, dict):
            training = {key: value for key, value in training.items() if f"training.{key}" not in RENAMED}
            return Profile.model_validate_json(json.dumps({**settings, "training": training}))
        return settings

    @field_validator("failed")
    @classmethod
    def _causes(cls, failed: tuple[Failure, ...]) -> tuple[Failure, ...]:
        return causes(failed)
