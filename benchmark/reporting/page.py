"""The report: one HTML file with every table and figure, and where they come from. It needs no network."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import accumulate
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.files import reading
from benchmark.reporting.figures.canvas import Picture
from benchmark.reporting.order import place
from benchmark.reporting.sheets import Grid, Sheet, numeric
from benchmark.results.records import Facts, Measured

ASSETS = Path(__file__).with_name("assets")
LONG = 30  # rows of a sheet from which on its further tables are folded
WIDE = 800  # pixels from which on a picture takes the full line
LARGER = 2  # times the size of the PNG that an SVG may have, for being sharp at every scale
LARGEST = 300_000  # bytes of a picture, so that a page of thirty stays below ten million
QUALITY = 85  # of larger ones, which are photographs
NO_DEFAULT = "no default"
CHANGED = "The last column shows the suite's own default where this run has another value."


@dataclass(frozen=True)
class Chapter:
    """A part of the report.

    Attributes:
        title: its heading, which no other chapter has.
        items: tables and figures in their order.
    """

    title: str
    items: Sequence[Sheet | Picture]


@dataclass(frozen=True)
class Embedded:
    """A picture as part of a page.

    Attributes:
        source: data URI.
        width: natural width in pixels.
        height: natural height in pixels.
    """

    source: str
    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Return whether it needs the full line."""
        return self.width > WIDE


def page(
    facts: Facts, headline: Sheet, chapters: Sequence[Chapter], results: Path, warnings: Sequence[str] = ()
) -> str:
    """Return the report as HTML, the same text for the same input.

    Args:
        facts: where the results come from.
        headline: the table that comes first.
        chapters: what follows it, in this order; settings, provenance and failures are added behind. Empty chapters
            are left out.
        results: the folder that the paths of the pictures begin in.
        warnings: sentences that stand above everything else.

    Raises:
        BenchmarkError: a picture is missing or damaged.
    """
    behind = {"Settings": settings_sheet, "Provenance": provenance_sheet, "What failed": failures_sheet}
    chapters = [*filter(lambda each: each.items, chapters), *(Chapter(t, [make(facts)]) for t, make in behind.items())]
    suffix = f", {facts.label}"  # of the title of every sheet
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"anchor": anchor, "short": lambda title: title.removesuffix(suffix)}
    environment.tests["picture"] = lambda item: isinstance(item, Picture)
    environment.globals |= {"asset": _asset, "folded": folded, "numeric": numeric, "embed": partial(embed, results)}
    return environment.get_template("page.html").render(
        facts=facts, headline=headline, chapters=chapters, warnings=warnings
    )


def _asset(name: str) -> Markup:
    # a file of this package
    return Markup((ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704 # nosec B704


def anchor(title: str) -> str:
    """Return a title as the name of a place in the page: small letters, digits and hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def folded(sheet: Sheet) -> list[bool]:
    """Return for each table of a sheet whether it is shown folded: where the rows so far are more than LONG."""
    return [rows > LONG for rows in accumulate(len(grid.rows) for grid in sheet.grids)]


def embed(results: Path, picture: Picture) -> Embedded:
    """Return a picture as SVG, as PNG where the SVG is far larger, or as WebP where both are larger than LARGEST."""
    png, svg = (results / f"{picture.path}{kind}" for kind in (".png", ".svg"))
    with reading(png), Image.open(png, formats=["PNG"]) as image:
        width, height = image.size
        kind, content = "png", png.read_bytes()
        if len(content) > LARGEST:
            buffer = BytesIO()
            image.save(buffer, "WEBP", quality=QUALITY)
            kind, content = "webp", buffer.getvalue()
    with reading(svg):
        if svg.stat().st_size <= min(LARGER * png.stat().st_size, LARGEST):
            kind, content = "svg+xml", svg.read_bytes()
    return Embedded(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", width, height)


def covering(facts: Facts, identity: Sequence[Measured]) -> Facts:
    """Return the facts with the models, the training seeds and the N_c that there are rows of.

    These settings choose rows. The stored ones are of the last command alone, which adds to what others have measured.
    """
    models = [each for each in identity if each.model not in OF_IDENTITY and each.trained.images is not None]
    seeds = 1 + max((int(each.outcomes["seed"].max()) for each in models), default=0)
    evaluation = facts.settings.evaluation.model_copy(update={"nc": tuple(sorted({each.nc for each in identity}))})
    names = tuple(sorted({each.model for each in models}, key=place))
    rows = {"models": names, "seeds": seeds, "evaluation": evaluation}
    return facts.model_copy(update={"settings": facts.settings.model_copy(update=rows)})


def settings_sheet(facts: Facts) -> Sheet:
    """Return every setting with its value and, where it is another, the suite's default."""
    rows = [
        (key, _said(value), "" if value == default else NO_DEFAULT if default is PydanticUndefined else _said(default))
        for key, value, default in _leaves(facts.settings)
    ]
    return Sheet(f"Settings, {facts.label}", [Grid(["setting", "value", "default"], rows)], [CHANGED])


def _leaves(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield the dotted name, the value and the default of each setting."""
    for key, field in type(section).model_fields.items():
        value = getattr(section, key)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value, field.get_default(call_default_factory=True, validated_data={})


def _said(value: object) -> str:
    """Return a value in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_said(each)}" for key, each in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(map(_said, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def provenance_sheet(facts: Facts) -> Sheet:
    """Return sources, versions, devices and seeds, and how much data there was."""
    seeds = ", ".join(map(str, range(facts.settings.seeds)))
    made = [
        ("run", facts.name),
        ("commit", facts.commit),
        *facts.versions.items(),
        *(("device", device) for device in facts.devices),
        ("numbers of the training seeds", seeds),
    ]
    parts = [(part, *(f"{found[kind]:,}" for kind in ("identities", "images"))) for part, found in facts.counts.items()]
    sources = Grid(["what", "value"], made, "Sources and machine")
    data = Grid(["part", "identities", "images"], parts, "Data")
    return Sheet(f"Provenance, {facts.label}", [sources, data], [facts.estimated] if facts.estimated else [])


def failures_sheet(facts: Facts) -> Sheet:
    """Return what is missing in the tables, and why."""
    title = f"What failed, {facts.label}"
    if not facts.failed:
        return Sheet(title, [], ["Nothing failed: every training run and measurement that was begun is in the tables."])
    rows = [(each.cell, each.status, each.why) for each in facts.failed]
    return Sheet(title, [Grid(["training run or measurement", "status", "reason"], rows)])
