"""The stored rows of results: all that tables, figures and report are made from, in the folder `rows/` of the results.

| file | content |
|---|---|
| `facts.json` | run, settings, commit, versions, device, data, how each model was trained, what failed |
| `identity.parquet` | outcome of each generated image of each draw, for each model, seed, split and N_c |
| `fewshot.parquet` | outcome of each test image of each episode, for each model, seed and number of shots |
| `models.csv` | size of each model |
| `costs.csv` | seconds and memory of each training, which no comparison looks at |
| `learning.csv` | losses of each training |
| `inputs.csv`, `samples/<model>.png` | some inputs, and what each model makes of them |
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow.parquet import ParquetWriter

from benchmark.errors import BenchmarkError
from benchmark.files import reading, replacing, write_json
from benchmark.reporting.fewshot import Recognised
from benchmark.reporting.tables import Measured, Trained, write_csv
from benchmark.settings import Profile, validated

FOLDER = "rows"
FACTS, IDENTITY, FEWSHOT = "facts.json", "identity.parquet", "fewshot.parquet"
LEARNING_COLUMNS = ["model", "seed", "cycle", "images", "loss", "value"]
COST_COLUMNS = ["model", "seed", "seconds", "peak_memory"]  # of the training; memory in bytes
INPUT_COLUMNS = ["row", "image", "identity", "view"]


@dataclass(frozen=True)
class Failure:
    """A training or measurement that is not in the tables.

    Attributes:
        cell: its folder within the run, such as `models/ours/seed0`.
        status: as recorded: running, interrupted, diverged, damaged, or out of date.
        reason: in words.
    """

    cell: str
    status: str
    reason: str


@dataclass(frozen=True)
class Facts:
    """Where the rows come from.

    Attributes:
        name: of the run, stamped on every table.
        settings: the profile with what the command line changed.
        commit: of the sources, `unknown` outside a repository; ends in `, changed` if files differ from it.
        versions: of Python and the packages that decide numbers.
        device: what the trainings ran on, such as `cpu` or the GPU's name.
        counts: identities and images of each part of the data, such as `{"standard": {"identities": 80, ...}}`.
        trained: on which terms each model was trained.
        left_out: standard identities that each split cannot use.
        failed: what is missing in the tables, and why.
    """

    name: str
    settings: Profile
    commit: str
    versions: dict[str, str]
    device: str
    counts: dict[str, dict[str, int]]
    trained: dict[str, Trained]
    left_out: dict[str, int]
    failed: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Samples:
    """What each model makes of the same inputs.

    Attributes:
        inputs: INPUT_COLUMNS, one row for each input; `view` is its name.
        grids: for each model, uint8 of shape (rows, 1 + views, S, S, 3): the input, then the views in their order.
    """

    inputs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=INPUT_COLUMNS))
    grids: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """Everything that tables, figures and report are made from.

    Attributes:
        facts: where the rows come from.
        identity: outcomes of the identity measurement, for each model or control, split and N_c.
        fewshot: outcomes of the few-shot measurement, for each model or control.
        models: the table of `models.models_table`.
        costs: COST_COLUMNS; a value that is not known is missing.
        learning: LEARNING_COLUMNS.
        samples: inputs and what the models make of them.
    """

    facts: Facts
    identity: list[Measured]
    fewshot: list[Recognised]
    models: pd.DataFrame
    costs: pd.DataFrame
    learning: pd.DataFrame
    samples: Samples
