"""Options of the command line with values that no one should give."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import judge
from tests.hostile.made_up import made_up

BOMB = "[" + ",".join(["&a [x,x]"] + ["*a"] * 10_000) + "]"

OPTIONS: dict[str, tuple[str, ...]] = {
    "training.images.x: there is no such": ("status", "--set", "training.images.x=1"),
    "--set : write KEY=VALUE": ("status", "--set", ""),
    "write KEY=VALUE": ("status", "--set", "training.images"),
    "--set : there is no such": ("status", "--set", "=1"),
    "--set .: there is no such": ("status", "--set", ".=1"),
    "__class__: there is no such": ("status", "--set", "__class__=1"),
    "data.__dict__: there is no such": ("status", "--set", "data.__dict__={}"),
    "plain data": ("status", "--set", "training.images=!!python/object/apply:os.system ['touch pwned']"),
    "refers to itself": ("status", "--set", "models=&a [*a]"),
    "values": ("status", "--set", f"models={BOMB}"),
    "nested": ("status", "--set", "models=" + "[" * 2000),
    "stands there twice": ("status", "--set", "data={a: 1, a: 2}"),
    "images: Input should be a valid integer, got None": ("status", "--set", "training.images="),
    "training.images: Input should be greater": ("status", "--set", "training.images=-5"),
    "training.images: Input should be less": ("status", "--set", "training.images=" + "9" * 50),
    "a number has": ("status", "--set", "training.images=" + "9" * 5000),
    "training.width": ("status", "--set", "training.width=.inf"),
    "--set: name": ("status", "--set", "name=../../x"),
    "--set: models.0": ("status", "--set", "models=[../../x]"),
    "data.views.0": ("status", "--set", "data.views=[a/b, c]"),
    "data.dataset": ("status", "--set", "data.dataset=[table]"),
    "Extractor": ("status", "--set", "extractor=3"),
    "image_size: Input should be less": ("status", "--image-size", "513"),
    "'64px' is no whole number": ("status", "--image-size", "64px"),
    "15 is below 16": ("status", "--image-size", "15"),
    "-64 is below 16": ("status", "--image-size", "-64"),
    "above 1000000000": ("status", "--image-size", "9" * 30),
    "99' is no whole number": ("status", "--image-size", "9" * 5000),
    "'' is no whole number": ("run", "--nc", ""),
    "1 is below 2": ("run", "--nc", "1"),
    "'1e3' is no whole number": ("run", "--nc", "1e3"),
    "'5;rm' is no whole number": ("run", "--nc", "5;rm"),
    "is above 1000000000": ("run", "--nc", "9" * 20),
    "needs at least one value": ("run", "--nc"),
    "0 is below 1": ("run", "--seeds", "0"),
    "-1 is below 1": ("run", "--seeds", "-1"),
    "is above 1000": ("run", "--seeds", "1000000000000"),
    "'NaN' is no whole number": ("run", "--seeds", "NaN"),
    "there is no model ../../x": ("run", "--model", "../../x"),
    "there is no model :": ("run", "--model", ""),
    "there is no model a\\nb": ("run", "--model", "a\nb"),
    "there is no model \\x1b[31m": ("run", "--model", "\x1b[31m"),
    "has no profile ../../x": ("status", "--profile", "../../x"),
    "has no profile :": ("status", "--profile", ""),
    "has no profile a\\nb": ("status", "--profile", "a\nb"),
    "has no profile \\udcff": ("status", "--profile", "\udcff"),
    "is not one of": ("status", "--dataset", "../x"),
    "root is missing": ("run", "--dataset", "table", "--data-root", "", "--set", "data.root="),
    "gone is no folder": ("run", "--data-root", "gone"),
    "no file or folder": ("run", "--data-root", "x" * 300),
    "the plug-in gone.py does not exist": ("run", "--plugin", "gone.py", "--model", "ours"),
    "No such option": ("run", "--sedes", "3"),
    "No such command": ("rnu",),
    "gone does not exist": ("compare", "gone", "gone"),
    "has no stored rows": ("report", "gone"),
    "RESULTS, --run and --profile each name": ("report", "gone", "--profile", "hostile"),
}


@pytest.mark.parametrize("words", OPTIONS)
def test_wrong_options_are_refused(place: Path, words: str) -> None:
    judge.refused(judge.command(place, *OPTIONS[words]), words)


@made_up
@given(text=st.text(max_size=30) | st.integers().map(str))
def test_any_text_is_no_number_of_seeds_or_refused(place: Path, text: str) -> None:
    ended = judge.command(place, "run", f"--seeds={text}", "--model=gone")
    judge.refused(ended)


@made_up
@given(key=st.text(max_size=20), value=st.text(max_size=20))
def test_any_setting_is_refused(place: Path, key: str, value: str) -> None:
    judge.refused(judge.command(place, "status", f"--set={key}={value}"), "--set")
