"""The order of models and controls, the same in every table and figure."""

from collections.abc import Container

import pandas as pd

from models.registry import BASELINES, BUILT_IN, REFERENCE, TABLE_2

CONTROLS = (  # of identity and of few-shot
    *("real", "no_augmentation", "standard_augmentation", "real_repeated"),
    *("oracle", "copy", "shuffled_labels", "mean_image"),
)
MODELS = tuple(dict.fromkeys([REFERENCE, *BASELINES, *TABLE_2, *BUILT_IN]))


def place(model: str, elsewhere: Container[str] = ()) -> str:
    """Return what to sort models by: the paper's order, other models by name, what is made `elsewhere`, controls."""
    if model in CONTROLS:
        return f"3 {CONTROLS.index(model)}"
    if model in elsewhere:
        return f"2 {model}"
    return f"0 {MODELS.index(model):02}" if model in MODELS else f"1 {model}"


def in_order(table: pd.DataFrame, *columns: str, elsewhere: Container[str] = ()) -> pd.DataFrame:
    """Return the rows of a table sorted by these columns, `model` by the order of models; equal rows stay in place."""
    return table.sort_values(
        list(columns),
        key=lambda column: column.map(lambda model: place(model, elsewhere)) if column.name == "model" else column,
        kind="stable",
        ignore_index=True,
    )
