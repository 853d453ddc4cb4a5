"""The stored rows of results: all that tables, figures and report are made from, in the folder `rows/` of the results.

| file | content |
|---|---|
| `facts.json` | run, settings, commit, versions, devices, data, how each model was trained, what is missing and why |
| `identity.parquet` | outcome of each generated image of each draw, for each model, seed, split and N_c |
| `fewshot.parquet` | outcome of each test image of each episode, for each model, seed and number of shots |
| `models.csv` | size of each model |
| `costs.csv` | seconds and memory of each training run, which differ from run to run |
| `learning.csv` | losses of each training run |
| `diagnostics.csv` | how each generator works (`ViewModel.diagnose`); rows stored earlier have none |
| `quality.csv` | sharpness and KID of the generated images, for each model and seed; rows stored earlier have none |
| `inputs.csv`, `samples/<model>.png` | some inputs, and what each model makes of them |
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter

from benchmark.data import tiles
from benchmark.data.tiles import Tiles
from benchmark.errors import BenchmarkError
from benchmark.files import reading, replacing, write_text
from benchmark.results.rates import COPIED, TRAIN_ACCURACY
from benchmark.results.records import Facts, Measured, Recognised, Trained

FOLDER = "rows"
DIGITS = 6  # of a number in a table
LEVEL = 9  # of zstd; the files are stored for good
FOREIGN = set("/\\\0")  # letters that no file name has
FACTS, IDENTITY, FEWSHOT = "facts.json", "identity.parquet", "fewshot.parquet"
SIZE_COLUMNS = ["generator_parameters", "discriminator_parameters", "macs"]
MODEL_COLUMNS = ["model", "citation", "labels", "updates", "map", "image_size", "width", *SIZE_COLUMNS]
LEARNING_COLUMNS = ["model", "seed", "cycle", "images", "loss", "value"]
COST_COLUMNS = ["model", "seed", "seconds", "peak_memory", "device"]  # of the training run; memory in bytes
QUALITY_COLUMNS = ["model", "seed", "sharpness", "kid", "kid_sd"]  # see `evaluation.quality`
DIAGNOSTIC_COLUMNS = ["model", "seed", "name", "value"]  # see `ViewModel.diagnose`
INPUT_COLUMNS = ["row", "image", "identity", "view"]
TEXTS = ["name", "model", "citation", "labels", "updates", "map", "loss", "device", "image", "identity", "view"]
TEXT, WHOLE, TRUTH, NUMBER = "string", "int", "bool", "float|double"  # in the names of Arrow's types
OUTCOME_COLUMNS = {  # those of any measurement are not all that there may be
    IDENTITY: dict.fromkeys(("model", "split", "image", "identity"), TEXT)
    | dict.fromkeys(("nc", "seed", "draw", "source", "target", "rank"), WHOLE)
    | dict.fromkeys(COPIED, NUMBER)
    | {"view_right": TRUTH},
    FEWSHOT: dict.fromkeys(("model", "image", "identity"), TEXT)
    | dict.fromkeys(("seed", "episode", "shots"), WHOLE)
    | {"right": TRUTH, TRAIN_ACCURACY: NUMBER},
}
EARLIER = {"critic_parameters": "discriminator_parameters"}  # names of columns in rows stored earlier
LATER = {TRAIN_ACCURACY: "double"}  # columns that rows stored earlier lack, and their type; there it is missing


@dataclass(frozen=True)
class Samples:
    """Outputs of each model for the same inputs.

    Attributes:
        inputs: INPUT_COLUMNS, one row for each input; `view` is its name.
        grids: for each model, uint8 of shape (rows, 1 + views, S, S, 3): the input, then the views in their order.
    """

    inputs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=INPUT_COLUMNS))
    grids: Mapping[str, Tiles] = field(default_factory=dict)


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
        quality: QUALITY_COLUMNS.
        diagnostics: DIAGNOSTIC_COLUMNS.
    """

    facts: Facts
    identity: Sequence[Measured]
    fewshot: Sequence[Recognised]
    models: pd.DataFrame
    costs: pd.DataFrame
    learning: pd.DataFrame
    samples: Samples
    quality: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=QUALITY_COLUMNS))
    diagnostics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=DIAGNOSTIC_COLUMNS))


def write(rows: Rows, results: Path) -> None:
    """Write the rows to the folder `rows/` of the results; samples of models that are no longer there are removed."""
    folder = results / FOLDER
    identity = sorted(rows.identity, key=lambda each: (each.model, each.split, each.nc))
    in_order = ((each, each.outcomes.sort_values(["seed", "draw", "image", "target"])) for each in identity)
    named = (table.assign(model=each.model, split=each.split, nc=each.nc) for each, table in in_order)
    _write_groups(named, folder / IDENTITY)
    _write_groups((each.outcomes.assign(model=each.model) for each in rows.fewshot), folder / FEWSHOT)
    for name in ("models", "costs", "learning", "quality", "diagnostics"):
        write_csv(getattr(rows, name), folder / f"{name}.csv")
    write_csv(rows.samples.inputs, folder / "inputs.csv")
    for old in (folder / "samples").glob("*.png"):
        if old.stem not in rows.samples.grids:
            old.unlink()
    for name, grid in rows.samples.grids.items():
        tiles.write(grid, folder / "samples" / f"{name}.png")
    write_text(folder / FACTS, rows.facts.model_dump_json(indent=2) + "\n")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with fixed float format and `\\n` line ends."""
    write_text(path, table.to_csv(index=False, float_format=f"%.{DIGITS}f", lineterminator="\n"))


def _write_groups(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write outcomes as one row group for each measurement, one after the other."""
    tables = (pa.Table.from_pandas(part, preserve_index=False) for part in parts)
    first = next(tables, None)
    if first is None:
        path.unlink(missing_ok=True)
        return
    with (
        replacing(path) as temporary,
        ParquetWriter(temporary, first.schema, compression="zstd", compression_level=LEVEL) as writer,
    ):
        writer.write_table(first, row_group_size=len(first))
        for table in tables:
            writer.write_table(table, row_group_size=len(table))


def read(results: Path) -> Rows:
    """Read what `write` wrote.

    Raises:
        BenchmarkError: there are no rows, or they are damaged or of another version.
    """
    folder = results / FOLDER
    if not (folder / FACTS).is_file():
        raise BenchmarkError(
            f"{results} has no stored rows ({folder / FACTS}); `benchmark run` and `dvc repro` make them"
        )
    with reading(folder / FACTS):
        facts = Facts.model_validate_json((folder / FACTS).read_text(encoding="utf-8"))
    measured = []
    for outcomes in _groups(folder / IDENTITY):
        model, split, nc = (outcomes[name].iloc[0] for name in ("model", "split", "nc"))
        if split not in facts.left_out:
            raise BenchmarkError(f"{IDENTITY} has rows of the split {split!r}, which {FACTS} does not know; run again")
        terms, own = facts.trained.get(model, Trained()), outcomes.drop(columns=["model", "split", "nc"])
        measured.append(Measured(model, terms, split, int(nc), own, facts.left_out[split]))
    if "random" not in {each.split for each in measured}:
        raise BenchmarkError(f"{folder / IDENTITY} has nothing of the paper's split, random; run again")
    recognised = []
    for outcomes in _groups(folder / FEWSHOT) if (folder / FEWSHOT).exists() else ():
        model = outcomes["model"].iloc[0]
        terms, own = facts.trained.get(model, Trained()), outcomes.drop(columns="model")
        recognised.append(Recognised(model, terms, own))
    side = facts.settings.data.image_size
    grids = {path.stem: tiles.read(path, side) for path in sorted((folder / "samples").glob("*.png"))}
    return Rows(
        facts,
        measured,
        recognised,
        _table(folder / "models.csv", MODEL_COLUMNS),
        _table(folder / "costs.csv", COST_COLUMNS),
        _table(folder / "learning.csv", LEARNING_COLUMNS),
        Samples(_table(folder / "inputs.csv", INPUT_COLUMNS), grids),
        *(
            _table(path, columns) if path.exists() else pd.DataFrame(columns=columns)
            for path, columns in (
                (folder / "quality.csv", QUALITY_COLUMNS),
                (folder / "diagnostics.csv", DIAGNOSTIC_COLUMNS),
            )
        ),
    )


def _groups(path: Path) -> Iterator[pd.DataFrame]:
    with reading(path), ParquetFile(path) as file:
        columns = OUTCOME_COLUMNS[path.name]
        found = LATER | {field.name: str(field.type) for field in file.schema_arrow}
        if wrong := {name for name, kind in columns.items() if not re.search(kind, found.get(name, ""))}:
            raise ValueError(f"columns are missing or hold something else: {wrong}")
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number).to_pandas()
            rows = rows.assign(**dict.fromkeys(columns.keys() - rows.columns, np.nan))
            _check(rows, columns, path)
            yield rows


def _check(rows: pd.DataFrame, columns: Mapping[str, str], path: Path) -> None:
    """Refuse a measurement of nothing, and one of a model whose files would lie elsewhere."""
    names = rows["model"].unique()
    mixed = [name for name in ("model", "split", "nc") if name in columns and rows[name].nunique() != 1]
    unknown = rows[[name for name, kind in columns.items() if kind != NUMBER]].isna().any(axis=None)
    if mixed or unknown:
        raise ValueError(f"a measurement is of more or less than one {mixed}, or values are missing")
    if FOREIGN & set(str(names[0])):
        raise BenchmarkError(
            f"{path} has rows of a model {names[0]!r}, which cannot be part of a file name; "
            "these rows are not of this suite: fetch them again from where they were made"
        )


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    with reading(path):
        types = dict.fromkeys(TEXTS, "str") | dict.fromkeys([*SIZE_COLUMNS, *EARLIER], "Int64")
        # nothing but an empty cell is missing: an identity can be called NA
        table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""]).rename(columns=EARLIER)
        if missing := [name for name in columns if name not in table and name not in LATER]:
            raise ValueError(f"columns are missing: {missing}")
        return table.reindex(columns=list(columns))
