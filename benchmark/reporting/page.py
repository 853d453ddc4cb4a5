"""The report: one HTML file with every table and figure, which needs no network."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import accumulate
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from benchmark.files import reading
from benchmark.reporting.pictures import Picture
from benchmark.reporting.provenance import failures_sheet, provenance_sheet, settings_sheet
from benchmark.reporting.sheets import Sheet, numeric
from benchmark.results.records import Facts

ASSETS = Path(__file__).with_name("assets")
LONG = 30  # rows of a sheet from which on its further tables are folded
WIDE = 800  # pixels from which on a picture takes the full line
LARGER = 2  # times the size of the PNG that an SVG may have, for being sharp at every scale
LARGEST = 300_000  # bytes of a picture, so that a page of thirty stays below ten million
QUALITY = 85  # of larger ones, which are photographs


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
        """Whether it needs the full line."""
        return self.width > WIDE


def page(facts: Facts, headline: Sheet, chapters: Sequence[Chapter], results: Path) -> str:
    """Return the report as HTML, the same text for the same input.

    Args:
        facts: where the results come from.
        headline: the table that comes first.
        chapters: what follows it, in this order; settings, provenance and failures are added behind. Empty chapters
            are left out.
        results: the folder that the paths of the pictures begin in.

    Raises:
        BenchmarkError: a picture is missing or damaged.
    """
    behind = {"Settings": settings_sheet, "Provenance": provenance_sheet, "What failed": failures_sheet}
    chapters = [*filter(lambda each: each.items, chapters), *(Chapter(t, [make(facts)]) for t, make in behind.items())]
    environment = _environment(f", profile {facts.name}")
    environment.globals["embed"] = partial(embed, results)
    return environment.get_template("page.html").render(facts=facts, headline=headline, chapters=chapters)


def _environment(suffix: str) -> Environment:
    """Return the templates; titles lose the `suffix` that every sheet has."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"anchor": anchor, "short": lambda title: title.removesuffix(suffix)}
    environment.tests["picture"] = lambda item: isinstance(item, Picture)
    environment.globals |= {"asset": _asset, "folded": folded, "numeric": numeric}
    return environment


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
            kind, content = "webp", _webp(image)
    with reading(svg):
        if svg.stat().st_size <= min(LARGER * png.stat().st_size, LARGEST):
            kind, content = "svg+xml", svg.read_bytes()
    return Embedded(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", width, height)


def _webp(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()
