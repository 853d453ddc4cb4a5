"""Results from folders and from single files, and what is no results."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from benchmark.errors import BenchmarkError
from benchmark.regression import reading
from benchmark.regression.comparison import compare
from benchmark.regression.differences import PAIRED, TABLES
from benchmark.regression.reading import Stored, Tabled
from tests.regression.folders import as_earlier, results, without_rows

FEWSHOT = {"ours": [0.4, 0.5], "no_augmentation": [0.3]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return results(tmp_path_factory.mktemp("results"), recognised=FEWSHOT)


def test_rows_and_tables_record_the_same(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "tables")
    stored, tabled = reading.read(folder), reading.read(without_rows(tmp_path / "tables"))
    assert {type(each) for each in stored.values()} == {Stored}
    assert {type(each) for each in tabled.values()} == {Tabled}
    assert stored.keys() == tabled.keys()
    assert [(key.measurement, key.model) for key in sorted(stored)] == [
        ("20-way 5-shot", "no_augmentation"),
        ("20-way 5-shot", "ours"),
        *(("random, N_c 20", model) for model in ("ours", "real", "unet")),
    ]
    for key, each in stored.items():
        assert each.seeds == tabled[key].seeds
        pd.testing.assert_frame_equal(each.intervals, tabled[key].intervals, check_exact=True)


@pytest.mark.parametrize(
    ("old", "new", "models", "basis"),
    [
        (".", ".", 5, PAIRED),
        ("rows/identity.parquet", ".", 3, PAIRED),
        (".", "rows/fewshot.parquet", 2, PAIRED),
        ("identity.csv", ".", 3, TABLES),
        ("rows/fewshot.parquet", "fewshot.csv", 2, TABLES),
    ],
)
def test_a_file_is_compared_with_its_counterpart(folder: Path, old: str, new: str, models: int, basis: str) -> None:
    found = compare(folder / old, folder / new)
    assert not found.moved
    assert set(found.rows["basis"]) == {basis}
    assert len(found.rows[["measurement", "model"]].drop_duplicates()) == models


@pytest.mark.parametrize("stored", [True, False])
def test_results_with_earlier_names_of_columns_are_read(folder: Path, tmp_path: Path, stored: bool) -> None:
    old, new = (Path(shutil.copytree(folder, tmp_path / name)) for name in ("old", "new"))
    as_earlier(old)
    assert "copied_pixels" in (old / "identity.csv").read_text()
    if not stored:
        without_rows(old), without_rows(new)
    found = compare(old, new)
    assert not found.moved
    assert not found.contradictions
    assert set(found.rows["basis"]) == {PAIRED if stored else TABLES}
    assert len(found.rows) == len(compare(new, new).rows)
    assert not compare(old / "identity.csv", new / "identity.csv").moved


@pytest.fixture(scope="module")
def damaged(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with damaged files beside."""
    own = tmp_path_factory.mktemp("damaged") / "own"
    shutil.copytree(folder, own)
    table = pd.read_csv(own / "identity.csv", dtype=str)
    table.drop(columns="nc").to_csv(own / "other.csv")
    table.assign(view="some").to_csv(own / "words.csv")
    pd.concat([table, table]).to_csv(own / "twice.csv")
    (own / "empty.csv").touch()
    (own / "half.parquet").write_bytes((own / "rows/identity.parquet").read_bytes()[:5000])
    shutil.copytree(folder / "rows", own / "facts/rows")
    (own / "facts/rows/facts.json").write_text("{")
    (own / "rows/samples").mkdir(exist_ok=True)
    return own


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nowhere", ".", "nowhere does not exist"),
        (".", "rows/samples", "samples is no folder of results"),
        ("identity.csv", "fewshot.csv", "in common"),
        (".", "rows/facts.json", "facts.json holds no results of identity or few-shot: there is no column 'split'"),
        (".", "other.csv", "other.csv holds no results of identity or few-shot: there is no column 'nc'"),
        (".", "words.csv", "words.csv is damaged or holds no results (ValueError)"),
        (".", "twice.csv", "twice.csv has ours twice"),
        (".", "empty.csv", "empty.csv is damaged or holds no results (EmptyDataError)"),
        ("half.parquet", ".", "half.parquet is damaged or holds no results (ArrowInvalid)"),
        ("facts", ".", "facts.json is damaged or holds no results (JSONDecodeError)"),
    ],
)
def test_what_is_no_results_is_said(damaged: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(BenchmarkError) as error:
        compare(damaged / old, damaged / new)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
