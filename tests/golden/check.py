"""Comparison of what is stored with what comes out now."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.registry import BUILT_IN
from tests.golden.figures import fewshot_figures, identity_figures
from tests.golden.losses import classifier_losses, model_losses

FOLDER = Path(__file__).parent
CLASSIFIER = "few-shot classifier"
TRAINED = (*BUILT_IN, CLASSIFIER)
LAST_DIGIT = 2e-6  # losses have six digits, of which rounding may turn the last
COMMAND = "python -m tests.golden.remake"

Stored = dict[str, Any]  # texts and numbers by names, nested


def check_identity() -> None:
    """Raise AssertionError if a figure of the identity measurement is not the stored one."""
    _unchanged(identity_figures(), stored("identity"))


def check_fewshot() -> None:
    """Raise AssertionError if a figure of the few-shot measurement is not the stored one."""
    _unchanged(fewshot_figures(), stored("fewshot"))


def check_losses(name: str) -> None:
    """Raise AssertionError if a loss of the model `name`, or of CLASSIFIER, is not the stored one."""
    _unchanged({name: losses(name)}, {name: stored("losses").get(name, {})})


def losses(name: str) -> Stored:
    """Return the losses of a model or of CLASSIFIER."""
    return classifier_losses() if name == CLASSIFIER else model_losses(name)


def stored(kind: str) -> Stored:
    """Return what is stored of a kind: identity, fewshot or losses."""
    content: Stored = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    return content


def moved(before: Stored, after: Stored) -> list[str]:
    """Return a line for each value that is not what it was, is new, or is gone."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return [
        f"{name}: was {old.get(name, 'not there')}, is {new.get(name, 'gone')}"
        for name in {**old, **new}
        if not _same(old.get(name), new.get(name))
    ]


def _flat(nested: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    return [
        leaf
        for name, value in nested.items()
        for leaf in (_flat(value, f"{above}{name}, ") if isinstance(value, dict) else [(above + name, value)])
    ]


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= LAST_DIGIT
    return one == other


def _unchanged(found: Stored, before: Stored) -> None:
    lines = moved(before, found)
    assert not lines, "\n".join(["golden values moved", *lines, f"if this is intended, make them again: {COMMAND}"])
