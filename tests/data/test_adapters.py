"""Another data set: one line in the list is all that names it."""

from pathlib import Path

import click
import pytest

from benchmark.config import datasets
from benchmark.config.choosing import settings_options
from benchmark.config.settings import Data, override
from benchmark.data import adapters, manifest
from benchmark.data.manifest import Reading
from benchmark.errors import BenchmarkError
from tests.reporting.made import profile


def test_a_line_in_the_list_adds_a_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(datasets.READERS, "mine", "benchmark.data.table")
    data = Data(dataset="mine", root="there")
    assert data.own  # nothing of the paper stands beside it
    assert adapters.describe()["mine"] == adapters.describe()["table"]


def test_the_paper_stands_beside_its_own_data_sets_alone() -> None:
    assert {name: Data(dataset=name, root=None if name == "rendered" else ".").own for name in datasets.READERS} == {
        "rendered": False,
        "compcars": False,
        "multipie": False,
        "table": True,
    }


def test_the_option_has_every_data_set() -> None:
    command = settings_options(click.command()(lambda **_: None))
    (option,) = (each for each in command.params if each.name == "dataset")
    assert list(option.type.choices) == list(datasets.READERS)


def test_an_unknown_data_set_is_named() -> None:
    with pytest.raises(BenchmarkError, match=r"data\.dataset: there is no data set 'imagenet'; choose rendered, "):
        override(profile("smoke"), {"data.dataset": "imagenet"})


def test_images_without_a_group_have_one_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, object]] = [{"image": name, "identity": "a", "view": "left"} for name in ("b.png", "a.png")]
    made = Reading(manifest.build([*rows, {**rows[0], "image": "c.png", "group": "g"}]))
    monkeypatch.setattr("benchmark.data.table.read", lambda *_: made)
    found = adapters.read(Data(dataset="table", root=str(tmp_path)), tmp_path).manifest
    assert found["group"].tolist() == ["a.png", "b.png", "g"]
