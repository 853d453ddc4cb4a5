"""params.yaml of every kind, and every field of every section with values that hypothesis makes up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from benchmark.config.settings import Profile
from benchmark.config.settings import profile as read
from benchmark.errors import BenchmarkError
from tests.hostile import judge
from tests.hostile.made_up import made_up
from tests.hostile.parameters import LEGAL, NAMES, REFUSED, named
from tests.hostile.places import profile, write_settings


def write(place: Path, content: str | bytes) -> None:
    (place / "params.yaml").write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_settings_are_refused(place: Path, case: str) -> None:
    content, words = REFUSED[case]
    write(place, content)
    judge.refused(judge.command(place, "status"), "params.yaml", *words)


@pytest.mark.parametrize("case", LEGAL)
def test_odd_settings_are_read(place: Path, case: str) -> None:
    content, values = LEGAL[case]
    write(place, content)
    judge.refused(judge.command(place, "status"), "runs/hostile holds no results yet")
    found = read().model_dump(mode="json")
    assert {key: value_at(found, key.split(".")) for key in values} == values


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_paths_or_commands_stop_every_stage(place: Path, name: str) -> None:
    write(place, named(name))
    judge.refused(judge.stages(place, profile=name), "is no name")
    judge.refused(judge.command(place, "status", f"--profile={name}"), "is no name")


@pytest.mark.parametrize("kind", ["folder", "pipe", "nothing", "link in circles"])
def test_what_is_no_file_is_refused(place: Path, kind: str) -> None:
    path = place / "params.yaml"
    path.unlink()
    judge.NO_FILES[kind](path)
    judge.refused(judge.command(place, "status"), "params.yaml is missing")


def value_at(values: Any, keys: list[str]) -> Any:
    for key in keys:
        values = values[key]
    return values


def _fields(section: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield above + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{above}{name}.")


FIELDS = list(_fields(Profile))
numbers = st.integers() | st.integers(-2, 40) | st.floats() | st.sampled_from([10**12, -(10**12), 2**63, 10**90, 1e308])
texts = st.text(max_size=20) | st.sampled_from(["all", "../../x", "a/b", "$(touch pwned)", "2e-4", "left", "rendered"])
plain = st.none() | st.booleans() | numbers | texts | st.dates()
nested = st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3))


@pytest.mark.parametrize("field", FIELDS)
@settings(made_up, max_examples=5)
@given(value=nested)
def test_any_value_is_kept_or_refused(place: Path, field: str, value: Any) -> None:
    content = _with(field, value)
    write_settings(place, content)
    try:
        found = read("hostile")
    except BenchmarkError:
        ended = judge.command(place, "status", "--profile", "hostile")
        judge.refused(ended, "params.yaml")
        assert any(key in ended.err for key in (field.rpartition(".")[2], "YAML", "models", "few-shot"))
    else:
        judge.refused(judge.command(place, "status", "--profile", "hostile"), "holds no results yet")
        kept = value_at(found.model_dump(mode="json"), field.split("."))
        same = kept == (float(value) if isinstance(kept, float) else value)  # 10^90 as a float is another number
        assert same or isinstance(value, dict) or field == "fewshot.shots" or value == "all"


def _with(field: str, value: Any) -> dict[str, Any]:
    content = profile()
    *sections, last = field.split(".")
    target = content
    for section in sections:
        target = target.setdefault(section, {})
    target[last] = value
    return content


@made_up
@given(value=nested)
def test_any_value_is_set_or_refused(place: Path, value: Any) -> None:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    judge.refused(judge.command(place, "status", f"--set=training.images={text}"), "")


@made_up
@given(content=st.binary(max_size=60) | st.text(alphabet="a: {}[]&*!<-\n\t'\"|>#%@`,?", max_size=40))
def test_any_bytes_are_refused(place: Path, content: bytes | str) -> None:
    write(place, content)
    judge.refused(judge.command(place, "status"), "params.yaml")
