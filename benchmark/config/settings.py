"""`params.yaml` as validated, frozen settings.

The file holds profiles, and as `active` the name of one. Every number that decides a result is here; the meaning and
the source of each is said beside the field, the value beside the key in `params.yaml`.
"""

import difflib
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from benchmark.config.datasets import COMPARED, READERS
from benchmark.config.plain_yaml import PlainYAMLError, parse
from benchmark.config.values import NAME, Batch, Box, Budget, Count, Name, Pictures, Place, Repeats, Sector, View
from benchmark.errors import BenchmarkError, shown

PARAMS = Path("params.yaml")
PACKAGED = Path(__file__).resolve().parent.parent / PARAMS  # in an installed package alone
CARS = ("left", "front_left", "front", "front_right", "right")
NINE = tuple(str(15 * n) for n in range(-4, 5))  # degrees to the front, as in the paper's faces; below 0: nose left

HINT = "; write it without quotes, and with a point before an exponent, such as 2.0e-4"
LONGEST = 100  # characters of a key that an error names
RENAMED = {"training.checkpoint_every": "training.checkpoint_minutes, which is a time and no number of cycles"}
KEYS = ("active", "models", "profiles")  # of the file
NEUTRAL: dict[str, Any] = {  # settings that change no value: they choose rows, or what is shown and saved meanwhile
    "name": True,
    "models": True,
    "seeds": True,
    "training": {"tensorboard", "samples_every", "checkpoint_minutes"},
    "evaluation": {"nc"},
    "fewshot": {"controls", "skip"},
}
OWN = "own"  # the profile of own images
ALL = "all"  # as `models` of a profile: those that the file lists under `models`

Threads = Annotated[int, Field(ge=1, le=1024)]
Control = Literal["no_augmentation", "real_repeated", "standard_augmentation", "copy", "shuffled_labels", "oracle"]


class Section(BaseModel):
    """A part of the settings: immutable, unknown keys refused, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Rendered(Section):
    """The embedded data set of rendered cars."""

    identities: int = Field(226, ge=2, le=100_000)  # car models, the scarce ones among them
    scarce: int = Field(12, ge=0)  # car models that get fewer than 10 images
    images: tuple[Pictures, Pictures] = Field((22, 34), strict=False)  # of every other model, drawn between these
    views: Literal["cars", "nine"] = "cars"  # which are rendered: those of CompCars, or NINE; data.views names them
    size: int = Field(64, ge=16, le=1024)  # long side of a rendered picture in pixels
    seed: int = Field(0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fewest, most = self.images
        if fewest > most:
            raise ValueError(f"images must be two growing numbers, got {fewest} and {most}")
        if self.scarce > self.identities:
            raise ValueError(f"scarce is {self.scarce}, more than the {self.identities} identities")
        return self


class Data(Section):
    """Source, filtering, split and storage of the images."""

    dataset: str = "rendered"  # one of `datasets.READERS`
    root: Place | None = None  # folder of the images; null: made by the suite (rendered only)
    annotations: Place | None = None  # table: CSV of labels; compcars: sides.csv; multipie: CSV of crop boxes
    side_confidence: float = Field(0.6, ge=0, le=1)  # compcars: images of a side less sure (`sides.csv`) are left out
    image_size: int = Field(32, ge=16, le=512)  # side of the stored square images in pixels
    views: tuple[View, ...] = Field(CARS, min_length=2, strict=False)  # kept views, in the order codes interpolate
    other_views: Literal["refuse", "leave_out"] = "refuse"  # table: what happens to images of any other view
    margin: float = Field(0.1, ge=0, le=1)  # the box is enlarged by this share of its sides before cropping
    minimum_images: int = Field(10, ge=2)  # identities with fewer images are removed (paper, section 4.1)
    auxiliary: Count = Field(0.8, gt=0)  # identities for training; the paper's 1,181 of 1,477 is floor(0.8 n)
    standard: Count | None = Field(None, gt=0)  # identities for evaluation; null: all others
    order: Literal["random", "name"] = "random"  # how identities are dealt to the two sets
    validation: float = Field(0.1, ge=0, lt=1)  # share of the auxiliary identities never trained on; 0: none
    azimuth_bins: dict[View, Sector] = Field(
        default={
            "left": (335, 25),
            "front_left": (25, 75),
            "front": (75, 105),
            "front_right": (105, 155),
            "right": (155, 205),
            "rear_right": (205, 255),
            "rear": (255, 285),
            "rear_left": (285, 335),
        }
    )  # table: degrees [from, to); 0: nose left in the image, 90: front, 180: nose right, 270: rear
    camera_boxes: dict[View, Box] = {}  # multipie: x0, y0, x1, y1 for each camera
    rendered: Rendered = Rendered()

    @property
    def own(self) -> bool:
        """Return whether the images are the user's own, and of no data set that the paper or the suite has."""
        return self.dataset not in COMPARED

    @field_validator("dataset")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in READERS:
            raise ValueError(f"there is no data set {shown(name)}; choose {', '.join(READERS)}")
        return name

    def label(self, run: str) -> str:
        """Return the heading of a run's tables and figures: its profile, or for own images the run and their folder."""
        if not self.own:
            return f"profile {run}"
        folder = Path(str(self.root)).name
        return f"run {run}" if folder in ("", run) else f"run {run} on {folder}"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.views)) != len(self.views):
            raise ValueError("views names a view twice")
        if self.dataset != "rendered" and self.root is None:
            raise ValueError(f"root is missing: the data set {self.dataset} needs the folder of its images")
        if self.dataset == "rendered" and self.root is not None:
            raise ValueError("root must be null for rendered cars, which get a folder of their own; set dataset too")
        nine = self.rendered.views == "nine"
        if self.dataset == "rendered" and nine != (set(self.views) <= set(NINE)):
            names = ", ".join(NINE)
            wrong = f"where rendered.views is nine, views must be among {names}"
            raise ValueError(wrong if nine else f"the views {names} of rendered cars need rendered.views: nine")
        for key, count in (("auxiliary", self.auxiliary), ("standard", self.standard)):
            if isinstance(count, float) and count >= 1:
                raise ValueError(f"{key} is a share and must be below 1; write a number of identities without point")
        return self


class WarmUp(Section):
    """Training of the discriminator on real images before adversarial training; no paper here has it.

    Two-Step's encoder S is trained first in any case, by the terms of its own paper.
    """

    steps: int = Field(0, ge=0, le=10**9)  # at most; fewer if the accuracy stops rising; 0: no warm-up
    view_weight: float = Field(0.2, ge=0)  # weight of the view loss beside that of the identity


class Training(Section):
    """The budget and the common terms of every model."""

    images: Budget  # real images used by generator-side updates (see ViewModel.cycle)
    batch_size: Batch = 64  # paper, section 4.1
    width: float = Field(1.0, gt=0, le=16)  # multiplies the published numbers of channels
    learning_rate_factor: float = Field(1.0, gt=0)  # multiplies every published learning rate
    generator_steps: Repeats = 1  # generator steps for each discriminator step of `ours` (paper: cars 1, faces 4)
    attribute_weight: float = Field(5.0, gt=0)  # lambda of Eq. 6 and 7 (paper: cars 5, faces 1)
    initialisation: Literal["published", "fan_in"] = "published"  # how convolutions start, see ModelSpec
    average: float = Field(0.0, ge=0, lt=1)  # decay of the EMA of the weights that is kept; 0: the last weights
    noise: float = Field(1.0, ge=0)  # factor on the noise beside the identity feature (ours, ablations, DR-GAN, U-net)
    warm_up: WarmUp = WarmUp()  # of the discriminator of ours, the ablations, DR-GAN and U-net
    refresh_batches: int = Field(100, ge=1, le=1_000_000)  # batches for the batch-norm statistics after training
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    compile: bool = False  # whether networks are compiled by torch.compile, which takes minutes for each model
    log_every: Budget = 10  # cycles between two rows of log.csv
    checkpoint_minutes: float = Field(5.0, ge=0)  # between two checkpoints; 0: one after every cycle
    tensorboard: bool = False  # whether to write live logs; like the next one it changes no value
    samples_every: Budget = 200  # cycles between two sample grids of the live logs


class Extractor(Section):
    """Training of the evaluation's two ResNet18 on the auxiliary set."""

    epochs: Budget = 90
    view_epochs: Budget = 30
    batch_size: Batch = 64
    learning_rate: float = Field(0.1, gt=0)
    stem: Literal["stock", "small"] = "stock"  # small: 3x3 stride-1 convolution, no max-pool
    held_out: float = Field(0.1, gt=0, lt=1)  # share of each identity's images kept to measure the accuracy


class Evaluation(Section):
    """The identity measurement (paper, section 4.2)."""

    nc: tuple[Annotated[int, Field(ge=2)], ...] = Field((20, 50, 80), min_length=1, strict=False)
    draws: Repeats = 20  # class draws for each N_c
    neighbours: Repeats = 5  # K of the KNN; the paper gives none, 5 is scikit-learn's default
    test_share: float = Field(0.2, gt=0, lt=1)  # paper: 8 : 2
    batch_size: int = Field(256, ge=1, le=100_000)


class FewShot(Section):
    """The few-shot measurement (paper, section 4.3)."""

    ways: int = Field(20, ge=2)  # classes of an episode; paper: N_c = 20
    shots: tuple[Annotated[int, Field(ge=1)], ...] = Field((5, 10), strict=False)  # images to train on; empty: left out
    episodes: Repeats = 5  # draws of classes and images; the paper names no number
    generated: int = Field(20, ge=2, le=1000)  # images added for each real one; paper: 20
    controls: tuple[Control, ...] = Field(get_args(Control), strict=False)  # rows that need no model
    skip: tuple[Name, ...] = Field((), strict=False)  # models that are left out, to save time
    steps: Budget = 500  # optimiser steps, the same for every row; the paper names no recipe
    batch_size: Batch = 64  # real images in a batch; where images are added, as many of these beside them
    learning_rate: float = Field(0.01, gt=0)

    @field_validator("shots")
    @classmethod
    def _sorted(cls, shots: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(shots)))


class Profile(Section):
    """Everything that decides a result."""

    name: Name
    models: tuple[Name, ...] = Field(min_length=1, strict=False)
    seeds: Repeats = 1  # training seeds 0 .. seeds-1
    threads: Threads | None = None  # of each process; last digits depend on it; null: what the machine has
    data: Data = Data()
    training: Training
    extractor: Extractor = Extractor()
    evaluation: Evaluation = Evaluation()
    fewshot: FewShot = FewShot()

    def values_of(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of dotted keys, such as `training.images`, as plain data."""
        dumped = self.model_dump(mode="json")
        return {key: reduce(lambda part, name: part[name], key.split("."), dumped) for key in keys}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.models)) != len(self.models):
            raise ValueError("models names a model twice")
        available, ways = self.data.standard, self.fewshot.ways
        too_many = isinstance(available, int) and ways > available and not self.data.own
        if self.fewshot.shots and too_many:  # own images lower them
            raise ValueError(
                f"fewshot.ways is {ways}, more than the {available} identities of data.standard; lower it, or leave "
                "few-shot out by fewshot.shots=[]"
            )
        return self


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    key = ".".join(str(part)[:LONGEST] for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list, such as [5, 10]")
    message = message.replace("a valid dictionary", "a mapping, such as {key: value}")
    message = message.replace("Tuple should", "It should").replace(" after validation", "")
    if first["type"] == "extra_forbidden":
        message = "is not a setting" + _instead(key)
        return f"{where}: {key} {message}"
    got = "" if isinstance(first["input"], dict) else f", got {shown(first['input'])}"
    hint = HINT if first["type"] in ("int_type", "float_type") and _is_number(first["input"]) else ""
    return ": ".join(filter(None, [where, key, f"{message}{got}{hint}"]))


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(float(value))
    except ValueError:
        return False


def _keys(section: type[BaseModel]) -> list[str]:
    nested = [f.annotation for f in section.model_fields.values()]
    inner = [_keys(a) for a in nested if isinstance(a, type) and issubclass(a, BaseModel)]
    return [*section.model_fields, *(key for keys in inner for key in keys)]


def did_you_mean(name: str, known: list[str]) -> str:
    """Return `; did you mean X?` for the known name closest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _instead(key: str) -> str:
    """Return what to write in the place of a key that is no setting, or an empty string."""
    return f"; use {RENAMED[key]}" if key in RENAMED else did_you_mean(key.rpartition(".")[2], _keys(Profile))


def load(path: Path = PARAMS) -> dict[str, Any]:
    """Return the content of the settings file, its profiles unvalidated.

    An installed package has a file of its own, for folders without one.

    Raises:
        BenchmarkError: the file is missing, is no YAML, lacks `profiles`, or has a name that can be no folder.
    """
    if path == PARAMS and not path.is_file() and PACKAGED.is_file():
        path = PACKAGED
    if not path.is_file():
        raise BenchmarkError(f"{path.absolute()} is missing; run the command in the project's folder")
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (PlainYAMLError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path} is no valid YAML: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("profiles"), dict):
        raise BenchmarkError(f"{path} has no mapping `profiles`; every profile stands under its name there")
    for key in content:
        if key not in KEYS:
            raise BenchmarkError(f"{path}: {shown(key)} is none of its keys, which are {', '.join(KEYS)}")
    _check_names(path, "profiles", list(content["profiles"]))
    _check_names(path, "models", content.get("models"))
    return content


def _check_names(path: Path, key: str, names: Any) -> None:
    """Refuse names that could be no folder: they become part of commands and paths."""
    for name in names if isinstance(names, list) else []:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise BenchmarkError(f"{path}, {key}: {shown(name)} is no name; use letters, digits, - and _ alone")


def active_name(path: Path = PARAMS) -> str:
    """Return the name of the active profile."""
    active = load(path).get("active")
    if not isinstance(active, str):
        raise BenchmarkError(f"{path}: active must name a profile, such as `active: quick`")
    return active


def profile(name: str | None = None, path: Path = PARAMS) -> Profile:
    """Return the profile `name`, or the active one.

    Raises:
        BenchmarkError: there is no such profile, or one of its values is wrong.
    """
    content = load(path)
    profiles = content["profiles"]
    if name is None:
        name = active_name(path)
    if name not in profiles:
        known = f"it has {', '.join(profiles)}{did_you_mean(name, list(profiles))}"
        raise BenchmarkError(f"{path} has no profile {name[:LONGEST]}: {known}")
    values = profiles[name]
    if isinstance(values, dict) and values.get("models") == ALL:
        values = {**values, "models": content.get("models")}
    return validated(values, f"{path}, profile {name}", name)


def validated(values: Any, where: str, name: str) -> Profile:
    """Return `values` as a profile; `where` opens the sentence of an error."""
    try:
        settings = Profile.model_validate(values)
    except ValidationError as error:
        raise BenchmarkError(_sentence(error, where)) from None
    if settings.name != name:
        raise BenchmarkError(f"{where}: name must be {name}, the key it stands under, got {shown(settings.name)}")
    return settings


def override(settings: Profile, changes: dict[str, Any]) -> Profile:
    """Return `settings` with each dotted key of `changes` (such as `training.images`) replaced.

    Raises:
        BenchmarkError: a key does not exist or a value does not fit.
    """
    values = settings.model_dump()
    for key, value in changes.items():
        *sections, last = key.split(".")
        target: Any = values
        for section in sections:
            target = target.get(section) if isinstance(target, dict) else None
        if not isinstance(target, dict) or last not in target:
            raise BenchmarkError(f"--set {key[:LONGEST]}: there is no such setting{_instead(key)}")
        target[last] = value
    return validated(values, "--set", settings.name)


def with_dataset(settings: Profile, dataset: str) -> Profile:
    """Return `settings` for another data set: everything that described the old one falls back to its default."""
    if dataset == settings.data.dataset:
        return settings
    root = None if dataset == "rendered" else "."
    kept = {"dataset": dataset, "image_size": settings.data.image_size, "root": root}
    return settings.model_copy(update={"data": Data.model_validate(kept)})
