"""The kinds of values that settings hold, each with its limits: what has none could fill memory or time without end."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # characters that no name needs and no terminal should get


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("it names a folder and may have letters, digits, - and _ alone")
    return value


def _text(value: object) -> object:
    """Take a number for a name: YAML reads -60 as one."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _view(value: str) -> str:
    if not 0 < len(value) <= 64 or CONTROL.search(value) or {"/", "\\"} & set(value):
        raise ValueError("a view becomes part of file names: up to 64 characters, no / and no line break")
    return value


def _place(value: str) -> str:
    sizes = [len(part.encode(errors="surrogatepass")) for part in value.split("/")]
    if not value or max(sizes) > 255 or sum(sizes) > 4000:
        raise ValueError("no file or folder has a name of no or that many characters")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("the name has bytes that are no UTF-8; rename it, or name it from within that folder")
    return value


Name = Annotated[str, AfterValidator(_name)]  # of a profile or a model
View = Annotated[str, BeforeValidator(_text), AfterValidator(_view)]
Place = Annotated[str, BeforeValidator(_text), AfterValidator(_place)]  # of a file or folder
Edge = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]  # a coordinate in pixels
Box = Annotated[tuple[Edge, Edge, Edge, Edge], Field(strict=False)]  # strict: YAML has lists, and no tuples
Sector = Annotated[tuple[float, float], Field(strict=False)]  # degrees [from, to)
Pictures = Annotated[int, Field(ge=1, le=100_000)]  # of one identity
Batch = Annotated[int, Field(ge=2, le=100_000)]
Budget = Annotated[int, Field(ge=1, le=10**12)]  # what takes time alone
Repeats = Annotated[int, Field(ge=1, le=1000)]
Count = int | float  # a whole number of identities, or a share of them between 0 and 1
