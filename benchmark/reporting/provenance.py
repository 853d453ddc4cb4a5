"""Where results come from, as tables: settings, sources, machine, data, and what is missing."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.reporting.order import place
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.results.records import Facts, Measured

NO_DEFAULT = "no default"
CHANGED = "The last column shows the suite's own default where this run has another value."


def covering(facts: Facts, identity: Sequence[Measured]) -> Facts:
    """Return the facts with the models, the training seeds and the N_c that there are rows of.

    These settings choose rows. The stored ones are of the last command alone, which adds to what others have measured.
    """
    models = [each for each in identity if each.model not in OF_IDENTITY]
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
    return Sheet(f"Settings, profile {facts.name}", [Grid(["setting", "value", "default"], rows)], [CHANGED])


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
    return Sheet(f"Provenance, profile {facts.name}", [sources, Grid(["part", "identities", "images"], parts, "Data")])


def failures_sheet(facts: Facts) -> Sheet:
    """Return what is missing in the tables, and why."""
    title = f"What failed, profile {facts.name}"
    if not facts.failed:
        return Sheet(title, [], ["Nothing failed: every training and measurement that was begun is in the tables."])
    rows = [(each.cell, each.status, each.why) for each in facts.failed]
    return Sheet(title, [Grid(["training or measurement", "status", "reason"], rows)])
