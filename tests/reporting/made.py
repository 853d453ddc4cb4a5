"""Stored rows whose rates are planted: a share of the images, the same ones for all models, is right."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from benchmark.config import settings
from benchmark.config.settings import Profile
from benchmark.data import splitting
from benchmark.reporting import references
from benchmark.results.records import Facts, Measured, Recognised, Trained
from benchmark.results.rows import MODEL_COLUMNS, Rows, Samples
from tests.tools import PROJECT

IMAGES, CLASSES = 200, 20
PARTS = ("auxiliary", "standard")
TRAINED = Trained("8", 1000, 640, 32, 90)
Rates = Mapping[str, Sequence[float]]  # of each model, for each training seed


def profile(name: str, **changes: object) -> Profile:
    """Return a profile; `evaluation__draws=3` changes one of its values."""
    found = settings.profile(name, PROJECT / "params.yaml")
    return settings.override(found, {key.replace("__", "."): value for key, value in changes.items()})


def made_facts(settings: Profile) -> Facts:
    """Return facts of a run with these settings, on as many identities as the paper has where they are shares."""
    paper = references.identities("multipie" if settings.data.dataset == "multipie" else "compcars")
    sizes = splitting.sizes(settings.data, sum(paper or ()))
    return Facts(
        name=settings.name,
        settings=settings,
        commit="0123abc",
        versions={"torch": "2.14.1"},
        devices=("a CPU",),
        counts={part: {"identities": size, "images": IMAGES} for part, size in zip(PARTS, sizes, strict=True)},
        trained={},
        left_out={"random": 0, "grouped": 0},
    )


def made_identity(model: str, rates: Sequence[float], nc: int, split: str = "random") -> Measured:
    """Return outcomes of which so many are right in identity, one rate for each seed; wrong ones are not in the top 5.

    The view is right, and nothing is copied.
    """
    rows = [
        (seed, f"i{image % CLASSES:02}", f"{image:03}.png", 0, target, 0 if image < round(IMAGES * rate) else 9)
        for (seed, rate), image, target in product(enumerate(rates), range(IMAGES), (0, 1))
    ]
    table = pd.DataFrame(rows, columns=["seed", "identity", "image", "source", "target", "rank"])
    copied = np.where(table["source"] == table["target"], np.nan, 0.0)
    outcomes = table.assign(draw=0, view_right=True, copied_pixels=copied, copied_features=copied)
    return Measured(model, TRAINED, split, nc, outcomes)


def made_fewshot(model: str, rates: Sequence[float], shots: Sequence[int]) -> Recognised:
    """Return outcomes of which so many are right, for each number of shots."""
    rows = [
        (0, f"{image:03}.png", f"i{image % CLASSES:02}", image < round(IMAGES * rate), 1.0, shot, seed)
        for (seed, rate), image, shot in product(enumerate(rates), range(IMAGES), shots)
    ]
    columns = ["episode", "image", "identity", "right", "train_accuracy", "shots", "seed"]
    return Recognised(model, TRAINED, pd.DataFrame(rows, columns=columns))


def made_rows(identity: Rates, fewshot: Rates | None = None, settings: Profile | None = None) -> Rows:
    """Return rows of models with these rates, alike for all N_c and shots of the settings (those of `quick`)."""
    settings = settings or profile("quick")
    measured = product(identity.items(), settings.evaluation.nc)
    return Rows(
        made_facts(settings),
        [made_identity(model, rates, nc) for (model, rates), nc in measured],
        [made_fewshot(model, rates, settings.fewshot.shots) for model, rates in (fewshot or {}).items()],
        pd.DataFrame(columns=MODEL_COLUMNS),
        *(pd.DataFrame() for _ in range(2)),
        Samples(),
    )
