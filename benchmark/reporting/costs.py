"""What the models cost, for reading."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import count

HEAD = ["model", "connection size", "width", "generator", "critic", "MACs", "seconds", "memory, MB", "seeds", "device"]
TEXT = (
    "Generator and critic: trainable parameters; MACs: multiply-accumulates of one generated image. Seconds and peak "
    "memory are those of one training, the mean over its seeds; they belong to the machine and what else it did, and "
    "no comparison looks at them. On a processor the memory is that of the whole process."
)


def sheet(models: pd.DataFrame, costs: pd.DataFrame, run: str) -> Sheet:
    """Return sizes, operations, seconds and memory of each model.

    Args:
        models: rows of `models.models_table`.
        costs: those of the stored rows.
        run: name of the run.
    """
    rows = [_line(model, costs[costs["model"] == model["model"]]) for model in models.to_dict("records")]
    return Sheet(f"Costs, profile {run}", [Grid(HEAD, rows)], [TEXT])


def _line(model: Mapping[Hashable, Any], costs: pd.DataFrame) -> list[object]:
    sizes = [count(model[name]) for name in ("generator_parameters", "critic_parameters", "macs")]
    width = "-" if pd.isna(model["width"]) else f"{model['width']:.3g}"
    spent = [_mean(costs["seconds"]), _mean(costs["peak_memory"] / 2**20)]
    devices = ", ".join(sorted(costs["device"].dropna().unique())) or "-"
    return [model["model"], model["connection_size"], width, *sizes, *spent, len(costs), devices]


def _mean(values: pd.Series) -> str:
    return f"{values.mean():.0f}" if values.notna().any() else "-"
