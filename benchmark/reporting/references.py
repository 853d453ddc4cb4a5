"""The paper's numbers, read from `references.yaml`, and the differences of a run's setting from the paper's."""

from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchmark.config.settings import NINE, Data, Profile
from benchmark.data import splitting
from benchmark.errors import BenchmarkError
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.results.rates import ACCURACY, ALL_RATES, SHARPNESS
from benchmark.run.sources import PROJECT
from models.registry import BUILT_IN

REFERENCES = next(  # an installed package has it beside its code
    (path for path in (PROJECT / "references.yaml", PROJECT / "benchmark" / "references.yaml") if path.is_file()),
    PROJECT / "references.yaml",
)
CARS: Final = "compcars"
FACES: Final = "multipie"  # the data set of Fig. 5 and 7
TAU = "rank_correlation"  # the metric of a correlation
REPRODUCED, THIS_RUN = "reproduced", "this run"
NO_REPRODUCTION = "Not a reproduction"
AT_LEAST = ("evaluation.nc", "fewshot.shots")  # a run may have more of them
IRRELEVANT = {  # sections of settings, by what is measured; nothing of a picture is
    "identity": ("fewshot",),
    "fewshot": ("evaluation", "extractor"),
    None: ("evaluation", "extractor", "fewshot"),
}

SIZES = {"data.auxiliary": ("auxiliary", "validation"), "data.standard": ("standard",)}  # parts of the data

Counts = Mapping[str, Mapping[str, int]]  # as in `Facts`
Value = int | float | str | tuple[int | str, ...]
Names = Annotated[tuple[str, ...], Field(min_length=1)]
DataSet = Literal["compcars", "multipie"]
Numbers = dict[int, Annotated[float, Field(ge=0, le=100)]]  # percent, by N_c or by number of shots


class Part(BaseModel):
    """A part of the file: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Paper(Part):
    """The publication."""

    title: str
    authors: Names
    venue: str
    arxiv: str

    @property
    def citation(self) -> str:
        """Authors, title, venue and arXiv number in one line."""
        return f"{', '.join(self.authors)}: {self.title}. {self.venue}, arXiv:{self.arxiv}"


class Stated(Part):
    """A setting that the paper states.

    Attributes:
        words: how it is named in a sentence, with a pair of braces for the value.
        place: where the paper states it.
        compcars: its value for cars, None where the paper has none.
        multipie: its value for faces.
    """

    words: str
    place: str
    compcars: Value | None = None
    multipie: Value | None = None


class Row(Part):
    """A row of a table.

    Attributes:
        paper: its name in the paper.
        model: the model or control it is.
        top1, top5, accuracy: the printed numbers in percent, by N_c or by number of shots.
    """

    paper: str
    model: str
    top1: Numbers = {}
    top5: Numbers = {}
    accuracy: Numbers = {}

    @property
    def numbers(self) -> dict[str, Numbers]:
        """The printed numbers of each metric that the row has."""
        return {name: values for name in ("top1", "top5", ACCURACY) if (values := getattr(self, name))}


class Exhibit(Part):
    """A table or figure.

    Attributes:
        name: `Table 1` or the like.
        place: the section that speaks of it.
        data: the data set it is about.
        shows: what is in it.
        measurement: what was measured; None for sample images.
        instead_of: the exhibit of the other data set that shows the same.
        rows: the printed rows in their order; none for a picture.
    """

    name: str
    place: str
    data: DataSet
    shows: str
    measurement: Literal["identity", "fewshot"] | None = None
    instead_of: str | None = None
    rows: tuple[Row, ...] = ()


class Claim(Part):
    """An order that the paper claims: each of `higher` lies above each of `lower`.

    Attributes:
        claim: in our words.
        exhibit: the exhibit it rests on.
        says: the words of the paper with their place, or the rows where the text has none.
        metrics: the rates it is about.
        higher: models or controls.
        lower: models or controls.
        lower_metric: the rate of `lower`, where it is not the same.
        margin: by more than how many points; below zero: it may lie as many points below.
        at: the N_c or numbers of shots; empty: all.
    """

    claim: str
    exhibit: str
    says: str
    metrics: Names
    higher: Names
    lower: Names
    lower_metric: str = ""
    margin: float = Field(0.0, ge=-100, le=100)
    at: tuple[int, ...] = ()


class Correlation(Part):
    """A claim that models which are higher in the one are higher in the other, too.

    Attributes:
        claim: in our words.
        exhibit: the exhibit it rests on.
        says: the words of the paper with their place.
        identity: the rate of the identity measurement.
        start: the row of the few-shot measurement that gains are counted from.
    """

    claim: str
    exhibit: str
    says: str
    identity: str
    start: str


class Family(Part):
    """Tests that are adjusted together: all parts of the claims of one exhibit in one metric.

    Attributes:
        family: its name.
        exhibit: the exhibit.
        metric: a rate, or TAU for correlations.
    """

    family: str
    exhibit: str
    metric: str


class References(Part):
    """The paper's numbers, settings and claims.

    Attributes:
        paper: where it is published.
        settings: what it says of its setting, by the keys of `params.yaml`.
        not_stated: what it leaves open, so that nothing can be compared.
        departures: where this suite departs from it in every profile.
        exhibits: its tables and figures by key.
        claims: the orders it claims.
        correlations: what it claims to go together.
        families: which tests of the claims are adjusted together.
    """

    paper: Paper
    settings: dict[str, Stated]
    not_stated: tuple[str, ...]
    departures: tuple[str, ...]
    exhibits: dict[str, Exhibit]
    claims: tuple[Claim, ...]
    correlations: tuple[Correlation, ...] = ()
    families: tuple[Family, ...]

    @model_validator(mode="after")
    def _known(self) -> Self:
        models = [row.model for exhibit in self.exhibits.values() for row in exhibit.rows]
        models += [name for claim in self.claims for name in (*claim.higher, *claim.lower)]
        models += [each.start for each in self.correlations]
        metrics = [name for each in self.claims for name in (*each.metrics, each.lower_metric) if name]
        metrics += [each.identity for each in self.correlations]
        measured = [key for key, exhibit in self.exhibits.items() if exhibit.measurement]
        _all_known("setting", self.settings, _keys())
        _all_known("model", models, [*BUILT_IN, *OF_FEWSHOT, *OF_IDENTITY])
        _all_known("exhibit with a measurement", [each.exhibit for each in self.all_claims], measured)
        _all_known("metric", metrics, [*ALL_RATES, ACCURACY, SHARPNESS])
        tested = {(claim.exhibit, metric) for claim in self.claims for metric in claim.metrics}
        tested |= {(each.exhibit, TAU) for each in self.correlations}
        listed = [(each.exhibit, each.metric) for each in self.families]
        wrong = sorted(tested.symmetric_difference(listed)) + [each for each in listed if listed.count(each) > 1]
        if wrong or len({each.family for each in self.families}) < len(listed):
            raise ValueError(f"families: each exhibit and metric of a claim must be in one, with a name: {wrong}")
        return self

    def family(self, exhibit: str, metric: str) -> str:
        """Return the name of the family that tests of an exhibit, by its key, in a metric belong to."""
        return next(each.family for each in self.families if (each.exhibit, each.metric) == (exhibit, metric))

    @property
    def all_claims(self) -> list[Claim | Correlation]:
        """Orders and correlations, by the exhibits that they rest on."""
        order = {key: n for n, key in enumerate(self.exhibits)}
        return sorted((*self.claims, *self.correlations), key=lambda each: order.get(each.exhibit, len(order)))

    def exhibits_for(self, dataset: str) -> dict[str, Exhibit]:
        """Return the exhibits to set beside the results of a run by its `counterpart`, faces' for faces only."""
        replaced = {each.instead_of for each in self.exhibits.values() if each.data == dataset}
        return {
            key: each
            for key, each in self.exhibits.items()
            if key not in replaced and (each.instead_of is None or each.data == dataset)
        }


def _keys(section: type[BaseModel] = Profile, prefix: str = "") -> list[str]:
    """Return the dotted names of all settings, such as `training.warm_up.steps`."""
    keys = []
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += _keys(field.annotation, f"{prefix}{name}.")
        else:
            keys.append(f"{prefix}{name}")
    return keys


def _all_known(what: str, names: "list[str] | dict[str, Stated]", known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"there is no {what} {name}")


@cache
def load(path: Path = REFERENCES) -> References:
    """Read the file.

    Raises:
        BenchmarkError: it is missing, no YAML, or something in it is wrong.
    """
    try:
        return References.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError:
        raise BenchmarkError(f"{path}, the paper's numbers, is missing") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ": ".join(filter(None, [str(path), ".".join(map(str, first["loc"]))]))
        raise BenchmarkError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None


def counterpart(data: Data) -> DataSet:
    """Return the data set of the paper whose setting and exhibits stand beside results: of faces for its nine views."""
    return FACES if data.dataset == FACES or set(data.views) == set(NINE) else CARS


def no_faces(settings: Profile, exhibit: str = "", counts: Counts | None = None) -> str:
    """Return that the exhibits of faces are made of other images, and how the setting of one departs; or no text."""
    own = settings.data.dataset
    if own == FACES or counterpart(settings.data) != FACES:
        return ""
    images = "rendered cars, not faces" if own == "rendered" else f"images of the data set {own}"
    said = f"In the paper Figures 5 and 7 are of faces (Multi-PIE); these are {images}, seen from the same nine views."
    return f"{said} {NO_REPRODUCTION}: {'; '.join(differs(settings, exhibit, counts))}." if exhibit else said


def identities(dataset: str) -> tuple[int, int] | None:
    """Return how many auxiliary and standard identities the paper has of a data set, None for one it does not have."""
    auxiliary, standard = (getattr(load().settings[key], dataset, None) for key in SIZES)
    return (auxiliary, standard) if auxiliary and standard else None


def differs(settings: Profile, exhibit: str | None = None, counts: Counts | None = None) -> list[str]:
    """Return in words each setting that is not the paper's; an empty list means that the run is a reproduction.

    Only what the paper states is compared. Without an exhibit the setting is that of the run's `counterpart`.

    Args:
        settings: of the run.
        exhibit: key of the table or figure whose setting counts, such as `table_1`.
        counts: of `Facts`: the sizes of the split are those that came out. Without them a share is compared by what it
            gives of the paper's identities.
    """
    found, wanted = [], _wanted(settings, exhibit)
    sizes = _sizes(settings, wanted, counts)
    for key, stated in wanted.items():
        own: Any = sizes[key] if key in sizes else attrgetter(key)(settings)
        same = own == stated
        if isinstance(stated, tuple):
            same = set(stated) <= set(own) if key in AT_LEAST else set(stated) == set(own)
        if not same:
            found.append(f"{load().settings[key].words.format(_text(own))} instead of {_text(stated)}")
    return found


def _sizes(settings: Profile, wanted: dict[str, Any], counts: Counts | None) -> dict[str, int]:
    """Return the numbers of auxiliary and standard identities by key, as in `differs`."""
    if counts:
        there = {part: count["identities"] for part, count in counts.items()}
        return {key: sum(there.get(part, 0) for part in parts) for key, parts in SIZES.items()}
    asked = splitting.sizes(settings.data, sum(wanted[key] for key in SIZES))
    return dict(zip(SIZES, asked, strict=True))


def _wanted(settings: Profile, exhibit: str | None) -> dict[str, Any]:
    """Return what the paper states for an exhibit, by key; a table has the N_c or shots that it prints."""
    references = load()
    shown = references.exhibits[exhibit] if exhibit else None
    data = shown.data if shown else counterpart(settings.data)
    values = {key: getattr(stated, data) for key, stated in references.settings.items()}
    stated = {key: value for key, value in values.items() if value is not None}
    if shown is None:
        return stated
    sizes = sorted({size for row in shown.rows for numbers in row.numbers.values() for size in numbers})
    if sizes:
        stated["evaluation.nc" if shown.measurement == "identity" else "fewshot.shots"] = tuple(sizes)
    return {key: value for key, value in stated.items() if key.split(".")[0] not in IRRELEVANT[shown.measurement]}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "all others"
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def column(settings: Profile, exhibit: str, counts: Counts | None = None) -> str:
    """Return what a column of the run's own numbers is called beside the paper's."""
    return THIS_RUN if differs(settings, exhibit, counts) else REPRODUCED


def setting_notes(settings: Profile, exhibit: str | None = None, counts: Counts | None = None) -> list[str]:
    """Return what differs from the paper, and what cannot be compared."""
    references, found, training = load(), differs(settings, exhibit, counts), settings.training
    said = "All that the paper says of its setting is so here, but for what every profile departs in."
    if found:
        said = f"{NO_REPRODUCTION}: {'; '.join(found)}. The paper's numbers stand beside these for orientation."
    silent = f"The paper does not give: {'; '.join(references.not_stated)}. There the values are this suite's own."
    budget = f"Whether a budget of {training.images:,} images is smaller than the paper's cannot be said."
    start = "as published" if training.initialisation == "published" else "by the number of their inputs"
    average = f"exponential moving averages (EMA) over the training run (decay up to {training.average:g})"
    kept = average if training.average else "those of the last cycle"
    weights = f"Convolutions start {start} where a model's file says nothing else"
    measured = f"the weights that are measured are {kept}."
    return [said, f"{silent} {budget} {weights}; {measured} In every profile {'; '.join(references.departures)}."]
