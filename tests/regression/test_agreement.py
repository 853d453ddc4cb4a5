"""Tables that are not what their stored rows give: by an edited table, and by defects planted in the code."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from benchmark.evaluation import rates
from benchmark.regression.comparison import compare
from tests.regression.folders import results

FEWSHOT = {"ours": [0.4, 0.5], "no_augmentation": [0.3]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return results(tmp_path / "results", recognised=FEWSHOT)


def edited(folder: Path, name: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> list[str]:
    """Edit a table of the folder; return which contradictions a comparison with itself finds."""
    edit(pd.read_csv(folder / name, dtype=str)).to_csv(folder / name, index=False)
    found = compare(folder, folder)
    assert found.moved == bool(found.contradictions)
    assert [each.replace("old: ", "new: ") for each in found.contradictions[:1]] == found.contradictions[1:]
    return [each.removeprefix("old: ") for each in found.contradictions[:1]]


def test_tables_of_the_same_rows_agree(folder: Path) -> None:
    assert edited(folder, "identity.csv", lambda table: table) == []
    (folder / "fewshot.csv").unlink()
    assert edited(folder, "identity.csv", lambda table: table) == []


def test_a_column_under_a_wrong_name(folder: Path) -> None:
    names = {"joint": "view", "view": "joint"}
    (found,) = edited(folder, "identity.csv", lambda table: table.rename(columns=names))
    words = "random, N_c 20, ours, joint: 100.0000 % in the table, 52.0000 % from the rows"
    assert found == f"6 of 38 rates, such as {words}"


def test_a_row_that_is_not_there(folder: Path) -> None:
    (found,) = edited(folder, "fewshot.csv", lambda table: table[table["model"] == "ours"])
    words = "20-way 5-shot, no_augmentation, accuracy: nan % in the table, 30.0000 % from the rows"
    assert found == f"1 of 38 rates, such as {words}"


def test_a_changed_rate_is_found_though_it_moves_both_sides_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = rates.recognised
    monkeypatch.setattr(rates, "recognised", lambda *given: 1 - right(*given))
    found = compare(folder, folder)
    assert (found.rows["difference"].dropna() == 0).all()
    assert [each.partition(":")[0] for each in found.contradictions] == ["old", "new"]
    assert found.moved
    assert not compare(folder / "identity.csv", folder / "identity.csv").moved


def test_a_file_is_not_held_to_the_other_kind(folder: Path) -> None:
    assert not compare(folder / "rows/identity.parquet", folder).moved
