"""params.yaml of every kind: what it is refused for, or what is read from it."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.hostile.places import profile

Words = tuple[str, ...]
VALUES = profile()


def text(**changes: Any) -> str:
    """Return a settings file; a change is a key of the profile."""
    content = {"active": "hostile", "models": ["vanilla"], "profiles": {"hostile": {**VALUES, **changes}}}
    return yaml.safe_dump(content, allow_unicode=True)


def named(name: str) -> str:
    """Return a settings file whose one profile has that name."""
    return yaml.safe_dump({"active": name, "profiles": {name: {**VALUES, "name": name}}})


def _laughs(many: str, one: str = "[{}]") -> str:
    """Return nine levels that each repeat the one before ten times."""
    levels = "".join(f"l{n}: &l{n} {one.format(', '.join([f'*l{n - 1}'] * 10))}\n" for n in range(1, 10))
    return f"l0: &l0 {many}\n{levels}{text()}"


def _files() -> Iterator[tuple[str, tuple[str | bytes, Words]]]:
    yield "empty", ("", ("no mapping `profiles`",))
    yield "comment", ("# nothing\n", ("no mapping `profiles`",))
    yield "a word", ("quick", ("no mapping `profiles`",))
    yield "a list", ("[active, profiles]", ("no mapping `profiles`",))
    yield "null", ("null", ("no mapping `profiles`",))
    yield "binary", (bytes(range(256)), ("no valid YAML",))
    yield "utf-16", (text().encode("utf-16"), ("no valid YAML",))
    yield "latin-1", ("# é\n".encode("latin-1"), ("no valid YAML",))
    yield "NUL", ("active: quick\0", ("no valid YAML",))
    yield "bell", ("active: \x07", ("no valid YAML",))
    yield "tabs", ("active:\n\tquick", ("no valid YAML", "line 2"))
    yield "open bracket", ("active: [", ("no valid YAML", "line 1"))
    yield "open quote", ('active: "quick', ("no valid YAML", "line 1"))
    yield "two documents", (f"{text()}---\n{text()}", ("no valid YAML", "another document"))
    yield "unknown alias", ("active: *gone", ("no valid YAML", "line 1"))
    yield "10,000 brackets", ("[" * 10_000, ("no valid YAML", "nested"))
    yield "10,000 levels", ("{a: " * 10_000 + "1" + "}" * 10_000, ("no valid YAML", "nested"))
    yield "refers to itself", (f"{text()}x: &x [*x]\n", ("no valid YAML", "refers to itself"))
    yield "mapping in itself", (f"{text()}x: &x {{a: *x}}\n", ("no valid YAML", "refers to itself"))
    yield "a billion laughs", (_laughs("[lol, lol]"), ("no valid YAML", "values"))
    yield "a billion merges", (_laughs("{a: 1}", "{{<<: [{}]}}"), ("no valid YAML", "values"))
    yield "10,001 values", (f"x: [{'1, ' * 10_001}]\n", ("no valid YAML", "values"))
    yield "a megabyte", (f"{text()}#{'x' * 10**6}\n", ("no valid YAML", "characters"))
    yield "key twice", (f"{text()}active: quick\n", ("no valid YAML", "the key active stands there twice"))
    yield "profile twice", ("profiles: {a: {}, a: {}}", ("no valid YAML", "the key a stands there twice"))
    yield "list as key", ("? [1, 2]\n: 3\n", ("no valid YAML", "a key must be a name"))
    yield "unknown key", (f"profile: quick\n{text()}", ("'profile' is none of its keys",))
    yield "number as key", (f"1: 2\n{text()}", ("1 is none of its keys",))
    yield "number as profile", ("active: quick\nprofiles: {1: {}}", ("1 is no name",))
    yield "null as profile", ("active: quick\nprofiles: {null: {}}", ("None is no name",))
    yield "no active", ("profiles: {quick: {}}", ("active must name a profile",))
    for active in ("3", "[hostile]", "null", "true", "1.5", "2020-01-01", "{a: 1}"):
        yield f"active {active}", (text().replace("active: hostile", f"active: {active}"), ("active must name",))
    for models in ("[1]", "[null]", "[../../x]", "['ours; touch pwned']", "[[ours]]", "[{}]", "['']"):
        yield f"models {models}", (f"active: hostile\nmodels: {models}\nprofiles: {{}}", ("models", "is no name"))


OBJECTS = (
    "!!python/object/apply:os.system ['touch pwned']",
    "!!python/object/new:os.system ['touch pwned']",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/tuple [1, 2]",
    "!!python/object:benchmark.config.settings.Profile {}",
    "!!python/object/apply:subprocess.Popen [[touch, pwned]]",
    "!!binary aGVsbG8=",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!pairs [a: 1]",
    "!include /etc/passwd",
    "!<tag:example.com,2000:x> 1",
)
WRONG_TAGS = (
    "2024-13-45",
    "!!int ''",
    "!!int a",
    "!!float x",
    "!!bool maybe",
    "!!timestamp x",
    "!!int [1]",
)


def _tags() -> Iterator[tuple[str, tuple[str | bytes, Words]]]:
    for value in OBJECTS:
        yield f"object {value}", (f"{text()}x: {value}\n", ("no valid YAML", "line", "plain data"))
    for value in WRONG_TAGS:
        yield f"value {value}", (f"{text()}x: {value}\n", ("params.yaml",))
    for value in ("9" * 5000, "0x" + "f" * 5000, "1" * 5000 + ".0", "1:" * 100 + "1"):
        yield f"number {value[:5]}...", (f"{text()}x: {value}\n", ("a number has", "characters"))


NAMES = (
    *("../../x", "a/b", ".", "..", "", " ", "quick; touch pwned", "$(touch pwned)", "`touch pwned`", "a b", "a\nb"),
    *("-x", "--help", "a|b", "a&b", "a>b", "~", "*", "a.b", "é", "<b>", "x" * 65, "\\", "'", '"', "a\0b", "\u202ea"),
)


def _values() -> Iterator[tuple[str, tuple[str | bytes, Words]]]:
    yield "another name", (text(name="other"), ("name must be hostile",))
    yield "no training", (text(training=None), ("training",))
    yield "profile of a list", ("active: a\nprofiles: {a: [1]}", ("profile a",))
    yield "profile of nothing", ("active: a\nprofiles: {a: }", ("profile a",))
    yield "models all without models", ("active: a\nprofiles: {a: {name: a, models: all}}", ("models",))
    yield "model twice", (text(models=["ours", "ours"]), ("names a model twice",))
    yield "key with a line break", (text(**{"a\nb": 1}), ("is not a setting",))
    yield "long key", (text(**{"a" * 10_000: 1}), ("is not a setting",))
    yield "long value", (text(seeds="a" * 10**5), ("seeds",))
    yield "many wrong values", (text(models=list(range(5000))), ("models.0",))
    yield "laughs as a value", ("active: a\nprofiles: {a: &a [[[[[1]]]]]}\nmodels: [*a, *a]\n", ("models",))
    yield "exponent without point", (text(extractor={"learning_rate": "2e-4"}), ("learning_rate", "2.0e-4"))
    yield "quoted number", (text(seeds="3"), ("seeds", "without quotes"))
    yield "yes", (text().replace("ways: 2", "ways: yes"), ("fewshot.ways",))
    yield "view twice", (text(data={"views": ["left", "left"]}), ("names a view twice",))
    for view in ("", "a/b", "../x", "a\\b", "a\nb", "x" * 65, "\0"):
        yield f"view {view[:9]!r}", (text(data={"views": ["left", view]}), ("data.views.1", "a view"))
    for count in (10**12, 10**400, -1, 0, 1.5, "226", True):
        words = "data.rendered.identities" if count != 10**400 else "a number has"
        yield f"{count!r:.9} identities", (text(data={"rendered": {"identities": count}}), (words,))
    for images in ([1, 10**12], [5, 1], [0, 3], [5], [1, 2, 3], "1-3", [1.5, 2]):
        yield f"images {images}", (text(data={"rendered": {"images": images}}), ("data.rendered",))
    for size in (-32, 0, 15, 513, 10**12, "32", 32.0, None, [32]):
        yield f"image_size {size}", (text(data={"image_size": size}), ("data.image_size",))
    for share in (0.0, -0.5, 1.0, float("nan"), float("inf"), "0.8"):
        yield f"auxiliary {share}", (text(data={"auxiliary": share}), ("auxiliary",))


def refused() -> Iterator[tuple[str, tuple[str | bytes, Words]]]:
    """Yield the name of what is refused, the file, and words that the sentence must have."""
    yield from _files()
    yield from _tags()
    yield from _values()
    for name in NAMES:
        yield f"profile {name[:20]!r}", (named(name), ("profiles", "is no name"))
        yield f"model {name[:20]!r}", (text(models=["ours", name]), ("models.1", "letters, digits"))


def legal() -> Iterator[tuple[str, tuple[str | bytes, dict[str, Any]]]]:
    """Yield the name of what is odd and legal, the file, and values that must be read from it."""
    three = text(seeds=3)
    yield "byte order mark", (b"\xef\xbb\xbf" + three.encode(), {"seeds": 3})
    yield "CRLF", (three.replace("\n", "\r\n"), {"seeds": 3})
    yield "one line", (yaml.safe_dump(yaml.safe_load(three), default_flow_style=True, width=10**6), {"seeds": 3})
    first = "a: &a {name: a, models: [ours], training: {images: 9}}"
    merged = f"active: hostile\nprofiles: {{{first}, hostile: {{<<: *a, name: hostile}}}}\n"
    yield "merged", (merged, {"training.images": 9})
    yield "binary number", (three.replace("images: 64", "images: 0b1000000"), {"training.images": 64})
    yield "not Latin", (f"# автомобиль 車\n{three}", {"seeds": 3})
    yield "exponent with a point", (text(extractor={"learning_rate": 2.0e-4}), {"extractor.learning_rate": 0.0002})
    views = ["<b>", "-15", "é", "NA", "a b"]
    yield "views of other names", (text(data={"views": views}), {"data.views": views})
    yield "longest name", (text(models=["x" * 64]), {"models": ["x" * 64]})


REFUSED: dict[str, tuple[str | bytes, Words]] = dict(refused())
LEGAL: dict[str, tuple[str | bytes, dict[str, Any]]] = dict(legal())
