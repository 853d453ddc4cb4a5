"""The paper's numbers, and those of a run beside them."""

from pathlib import Path

import pandas as pd
import pytest

from benchmark.reporting import exhibits
from benchmark.reporting.fewshot import fewshot_table
from benchmark.reporting.sheets import latex, markdown
from benchmark.reporting.tables import identity_table
from benchmark.results.rows import Rows, write_csv
from tests.reporting.made import made_identity, made_rows, profile

TABLE_1 = """
    no_augmentation 29.77 55.86
    two_step        32.04 52.53
    cr_gan          27.61 39.67
    dr_gan          47.85 60.01
    ours            52.44 66.93
"""  # with 5 and 10 shots
TABLE_2 = """
    vanilla        48.59 75.82 36.20 57.52 27.27 48.20
    vanilla_deform 49.75 76.08 37.26 58.53 28.82 48.81
    global_nc56    50.37 76.25 37.45 58.21 29.23 49.39
    cnc56          52.45 78.31 39.42 60.52 31.38 52.88
    global_nc28    53.12 77.08 38.30 59.12 30.40 52.13
    cnc28          55.05 80.16 42.24 63.49 34.68 56.09
    cnc28_im       55.47 81.22 42.35 64.73 34.92 56.80
    ours           56.13 81.65 43.87 65.04 35.30 57.46
"""  # top-1 and top-5 with 20, 50 and 80 classes


def copied(text: str, columns: list[tuple[str, int]]) -> dict[tuple[str, str, int], float]:
    lines = [line.split() for line in text.strip().splitlines()]
    return {
        (model, metric, size): float(number)
        for model, *numbers in lines
        for (metric, size), number in zip(columns, numbers, strict=True)
    }


EXPECTED = {
    "table_1": copied(TABLE_1, [("accuracy", 5), ("accuracy", 10)]),
    "table_2": copied(TABLE_2, [(metric, nc) for nc in (20, 50, 80) for metric in ("top1", "top5")]),
}


@pytest.mark.parametrize(("exhibit", "size"), [("table_1", "shot"), ("table_2", "nc")])
def test_every_number_is_the_paper_s(exhibit: str, size: str) -> None:
    table = exhibits.values(exhibit)
    found = dict(zip(zip(table["model"], table["metric"], table[size], strict=True), table["published"], strict=True))
    assert found == {key: pytest.approx(number / 100, abs=1e-9) for key, number in EXPECTED[exhibit].items()}
    assert len(found) == len(table)
    name = exhibit.replace("table_", "Table ")
    assert table["place"].tolist() == [f"{name}, row {row}" for row in table["row"]]


def test_every_row_of_table_1_is_of_twenty_ways() -> None:
    assert (exhibits.values("table_1")["way"] == 20).all()


def tables(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table 1 and Table 2 of some rows."""
    facts = rows.facts
    recognised = fewshot_table(rows.fewshot, facts.settings.fewshot, facts.name)
    return exhibits.table_1(recognised, facts), exhibits.table_2(identity_table(rows.identity, facts.name), facts)


SOME = made_rows({"ours": [0.5], "copy": [1.0]}, {"ours": [0.6], "no_augmentation": [0.25]})


def test_the_run_stands_beside_the_paper(tmp_path: Path) -> None:
    first, second = tables(SOME)
    assert len(first) == 10
    assert len(second) == 48
    for table, model, size, theirs, ours in (
        (second, "ours", {"nc": 50, "metric": "top5"}, 0.6504, 0.5),
        (first, "ours", {"way": 20, "shot": 5}, 0.5244, 0.6),
        (first, "no_augmentation", {"way": 20, "shot": 10}, 0.5586, 0.25),
    ):
        (row,) = table[(table[["model", *size]] == [model, *size.values()]).all(axis=1)].to_dict("records")
        assert row["published"] == theirs
        assert row["measured"] == pytest.approx(ours)
        assert row["measured_ci_low"] < row["measured"] < row["measured_ci_high"]
        assert row["difference"] == pytest.approx(ours - theirs)
        assert row["n_seeds"] == 1
        assert not row["reproduction"]
    missing = second[second["model"] != "ours"]
    assert missing[["measured", "difference", "n_seeds"]].isna().all(axis=None)
    write_csv(second, tmp_path / "table_2.csv")
    head, line, *_ = (tmp_path / "table_2.csv").read_text().splitlines()
    assert head == (
        "profile,row,place,paper,model,nc,metric,published,"
        "measured,measured_ci_low,measured_ci_high,n_seeds,difference,reproduction"
    )
    assert line == 'quick,1,"Table 2, row 1",vanilla,vanilla,20,top1,0.485900,,,,,,False'


def test_the_grouped_split_is_not_the_paper_s() -> None:
    identity = identity_table([*SOME.identity, made_identity("vanilla", [0.9], 20, "grouped")], "quick")
    table = exhibits.table_2(identity, SOME.facts)
    assert table.loc[table["model"] == "vanilla", "measured"].isna().all()


def test_other_ways_do_not_stand_beside_the_paper() -> None:
    rows = made_rows({"ours": [0.5]}, {"ours": [0.6]}, profile("quick", fewshot__ways=5))
    assert tables(rows)[0]["measured"].isna().all()


def test_nothing_measured_is_no_error() -> None:
    rows = made_rows({"ours": [0.5]}, {}, profile("smoke"))
    first, second = tables(rows)
    for text in (
        markdown(exhibits.sheet_1(first, rows.facts)),
        markdown(exhibits.sheet_2(second, rows.facts)),
    ):
        assert "None of these rows is measured here." in text
        assert "| n/a | n/a | - |" in text


def test_a_run_of_another_setting_is_not_called_reproduced() -> None:
    first, second = tables(SOME)
    for sheet in (exhibits.sheet_1(first, SOME.facts), exhibits.sheet_2(second, SOME.facts)):
        assert sheet.notes[0].startswith("Not a reproduction: data set rendered instead of compcars; images of 32 px")
        assert sheet.title.endswith("published and this run, profile quick")
        assert "reproduced" not in markdown(sheet)
        assert "this run" in latex(sheet)


def test_the_paper_s_setting_is_called_reproduced() -> None:
    rows = made_rows({"ours": [0.5]}, {"ours": [0.6]}, profile("compcars"))
    first, second = tables(rows)
    assert first["reproduction"].all()
    for sheet in (exhibits.sheet_1(first, rows.facts), exhibits.sheet_2(second, rows.facts)):
        text = markdown(sheet)
        assert "reproduced %" in text
        assert "Not a reproduction" not in text
        assert "this run" not in text


def test_a_line_for_reading() -> None:
    first, second = tables(SOME)
    assert "## 20-way 10-shot" in markdown(exhibits.sheet_1(first, SOME.facts))
    text = markdown(exhibits.sheet_2(second, SOME.facts)).split("## 50 classes")[1]
    (line,) = (line for line in text.split("##")[0].splitlines() if "| ours |" in line)
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert cells[:3] == ["vanilla + CNC(28) + AIM (Eq. (4))", "ours", "43.87"]
    assert cells[3].startswith("50.0 [")
    assert [*cells[4:6], *cells[7:]] == ["+6.1", "65.04", "-15.0", "1"]
