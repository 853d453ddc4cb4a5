"""Is a run a reproduction? What differs between its settings and what the paper says of its own."""

from operator import attrgetter
from typing import Any

from benchmark.reporting.curves import FACES
from benchmark.reporting.references import Exhibit, load
from benchmark.settings import Profile, Training

REPRODUCED, THIS_RUN = "reproduced", "this run"
NO_REPRODUCTION = "Not a reproduction"
AT_LEAST = ("evaluation.nc", "fewshot.shots")  # a run may have more of them
IRRELEVANT = {"identity": ("fewshot",), "fewshot": ("evaluation", "extractor"), None: ()}  # sections of settings


def differs(settings: Profile, exhibit: str | None = None) -> list[str]:
    """Return in words each setting that is not the paper's; an empty list means that the run is a reproduction.

    Only what the paper states is compared. Without an exhibit the setting is that of its faces for Multi-PIE, of its
    cars for everything else.

    Args:
        settings: of the run.
        exhibit: key of the table or figure whose setting counts, such as `table_1`.
    """
    found = []
    for key, value in _wanted(settings, exhibit).items():
        own = _own(settings, key)
        if not _same(key, own, value):
            found.append(f"{load().settings[key].words.format(_text(own))} instead of {_text(value)}")
    return found


def _wanted(settings: Profile, exhibit: str | None) -> dict[str, Any]:
    """Return what the paper states for an exhibit, by key; a table has the N_c or shots that it prints."""
    references = load()
    shown = references.exhibits[exhibit] if exhibit else None
    data = shown.data if shown else (FACES if settings.data.dataset == FACES else "compcars")
    values = {key: getattr(stated, data) for key, stated in references.settings.items()}
    stated = {key: value for key, value in values.items() if value is not None}
    if shown is None:
        return stated
    stated |= _printed(shown)
    return {key: value for key, value in stated.items() if key.split(".")[0] not in IRRELEVANT[shown.measurement]}


def _printed(exhibit: Exhibit) -> dict[str, Any]:
    sizes = sorted({size for row in exhibit.rows for numbers in row.numbers.values() for size in numbers})
    key = "evaluation.nc" if exhibit.measurement == "identity" else "fewshot.shots"
    return {key: tuple(sizes)} if sizes else {}


def _own(settings: Profile, key: str) -> Any:
    return attrgetter(key)(settings)


def _same(key: str, own: Any, stated: Any) -> bool:
    if isinstance(stated, tuple):
        return set(stated) <= set(own) if key in AT_LEAST else set(stated) == set(own)
    return bool(own == stated)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "all others"
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def column(settings: Profile, exhibit: str) -> str:
    """Return what a column of the run's own numbers is called beside the paper's."""
    return THIS_RUN if differs(settings, exhibit) else REPRODUCED


def setting_notes(settings: Profile, exhibit: str | None = None) -> list[str]:
    """Return what differs from the paper, and what cannot be compared."""
    references, found = load(), differs(settings, exhibit)
    said = "All that the paper says of its setting is so here, but for what every profile departs in."
    if found:
        said = f"{NO_REPRODUCTION}: {'; '.join(found)}. The paper's numbers stand beside these for orientation."
    silent = f"The paper does not give: {'; '.join(references.not_stated)}. There the values are this suite's own."
    budget = f"Whether a budget of {settings.training.images:,} images is smaller than the paper's cannot be said."
    return [
        said,
        f"{silent} {budget} {_weights(settings.training)} In every profile {'; '.join(references.departures)}.",
    ]


def _weights(training: Training) -> str:
    """Say where the weights of the models begin, and which are measured in the end."""
    start = "as published" if training.initialisation == "published" else "by the number of their inputs"
    average = f"running averages over the training (decay up to {training.average:g})"
    kept = average if training.average else "those of the last cycle"
    said = f"Convolutions start {start} where a model's file says nothing else"
    return f"{said}; the weights that are measured are {kept}."
