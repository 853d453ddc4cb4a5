"""Small tables and samples to draw, whose values say what they are."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from benchmark.reporting.exhibits import ablation_table
from benchmark.reporting.tidy import Tidy
from benchmark.results.rates import RATES
from benchmark.results.rows import COST_COLUMNS, INPUT_COLUMNS, LEARNING_COLUMNS, MODEL_COLUMNS, Rows, Samples
from tests.reporting.made import made_facts, profile

VIEWS = ("left", "front", "right")
SIDE = 32
HALF = 0.05  # of every interval


def interval(rate: str, value: float) -> dict[str, float]:
    return {rate: value, f"{rate}_ci_low": value - HALF, f"{rate}_ci_high": value + HALF}


def identity(
    models: Sequence[str], sizes: Iterable[int] = (20, 50), splits: Iterable[str] = ("random",)
) -> pd.DataFrame:
    """Return rows whose rates grow with the model's place; those of the grouped split are a tenth of them."""
    rows = []
    for split in splits:
        for nc in sizes:
            for place, model in enumerate(models):
                row = {"profile": "tiny", "model": model, "split": split, "nc": nc, "n_seeds": 1, "images_seen": 64}
                for number, rate in enumerate([*RATES, "view_cross"]):
                    value = 0.2 + 0.05 * place + 0.03 * number + 0.001 * nc
                    row |= interval(rate, value if split == "random" else value / 10)
                rows.append(row)
    return pd.DataFrame(rows)


def fewshot(models: Sequence[str], shots: Iterable[int] = (5, 10)) -> pd.DataFrame:
    rows = [
        {"model": model, "way": 20, "shot": shot, "n_seeds": 1} | interval("accuracy", 0.2 + 0.1 * place + 0.01 * shot)
        for place, model in enumerate(models)
        for shot in shots
    ]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["model", "way", "shot", "n_seeds", "accuracy"])


def views(models: Sequence[str]) -> pd.DataFrame:
    """Return a matrix whose joint accuracy names its place: 0.12 from the first view to the second."""
    rows = [
        (model, "random", 20, source, target, (10 * n + m + 11) / 100)
        for model in models
        for n, source in enumerate(VIEWS)
        for m, target in enumerate(VIEWS)
    ]
    return pd.DataFrame(rows, columns=["model", "split", "nc", "source", "target", "joint"])


def sizes(models: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame({"model": models}, columns=MODEL_COLUMNS)
    parameters = [10**5 * (n + 1) for n in range(len(models))]
    return table.assign(generator_parameters=parameters, macs=[7 * count for count in parameters])


def costs(models: Sequence[str], seconds: float | None = 60.0) -> pd.DataFrame:
    rows = [(model, seed, seconds, None, "a CPU") for model in models for seed in (0, 1)]
    return pd.DataFrame(rows, columns=COST_COLUMNS)


def learning(models: Sequence[str], length: int = 4) -> pd.DataFrame:
    rows = [
        (model, seed, n, 32 * n, loss, float(n * (seed + 1)))
        for model in models
        for seed in (0, 1)
        for n in range(1, length + 1)
        for loss in ("discriminator", "generator")
    ]
    return pd.DataFrame(rows, columns=LEARNING_COLUMNS)


def samples(models: Sequence[str], rows: int = 3, side: int = SIDE, views: Sequence[str] = VIEWS) -> Samples:
    """Return images of one colour each, which says model, input and column; inputs are the same for all models."""
    inputs = [(row, f"{row}.png", f"car {row}", views[row % len(views)]) for row in range(rows)]
    grids = {}
    for place, model in enumerate(models, 1):
        grid = np.zeros((rows, 1 + len(views), side, side, 3), np.uint8)
        for row in range(rows):
            for column in range(1 + len(views)):
                grid[row, column] = (40 * place if column else 0, 30 * row + 20, 20 * column)
        grids[model] = grid
    return Samples(pd.DataFrame(inputs, columns=INPUT_COLUMNS), grids)


def tidy(table: pd.DataFrame, recognised: pd.DataFrame, matrices: pd.DataFrame, models: pd.DataFrame) -> Tidy:
    none = pd.DataFrame()
    return Tidy(table, matrices, none, ablation_table(table), recognised, none, models, none)


def rows(spent: pd.DataFrame, losses: pd.DataFrame, shown: Samples, **changes: object) -> Rows:
    facts = made_facts(profile("quick", data__views=VIEWS, **changes))
    return Rows(facts, [], [], pd.DataFrame(), spent, losses, shown)
