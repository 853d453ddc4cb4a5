"""The file with the paper's setting, numbers and claims."""

from pathlib import Path

import pytest

from benchmark.errors import BenchmarkError
from benchmark.reporting.references import REFERENCES, load
from models.registry import TABLE_2

TABLE_1 = ["no_augmentation", "two_step", "cr_gan", "dr_gan", "ours"]


def test_the_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load.__wrapped__(REFERENCES).paper.citation.endswith("Visual Recognition. CVPR 2020, arXiv:2001.03856")


def test_rows_are_our_models_in_the_order_of_the_paper() -> None:
    exhibits = load().exhibits
    assert [row.model for row in exhibits["table_2"].rows] == list(TABLE_2)
    assert [row.model for row in exhibits["table_1"].rows] == TABLE_1
    assert all(name in row.paper for row, name in zip(exhibits["table_2"].rows, TABLE_2.values(), strict=True))


def test_pictures_have_no_numbers() -> None:
    assert {exhibit.name: bool(exhibit.rows) for exhibit in load().exhibits.values()} == {
        **{f"Figure {number}": False for number in (4, 5, 6, 7, 8)},
        **{"Table 1": True, "Table 2": True},
    }


def test_faces_take_the_place_of_cars() -> None:
    both = {"table_1", "table_2", "figure_8"}
    assert (
        set(load().exhibits_for("rendered")) == set(load().exhibits_for("compcars")) == both | {"figure_4", "figure_6"}
    )
    assert set(load().exhibits_for("multipie")) == both | {"figure_5", "figure_7"}


def test_no_pair_is_claimed_twice_or_both_ways() -> None:
    claimed = [
        (claim.exhibit, metric, frozenset((higher, lower)), claim.margin, claim.at)
        for claim in load().claims
        for metric in claim.metrics
        for higher in claim.higher
        for lower in claim.lower
    ]
    assert len(set(claimed)) == len(claimed)
    assert all(len(pair) == 2 for _, _, pair, _, _ in claimed)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("model: dr_gan,", "model: drgan,", "there is no model drgan"),
        ("higher: [cnc28_im]", "higher: [cnc29]", "there is no model cnc29"),
        ("metrics: [joint_cross]", "metrics: [joined]", "there is no metric joined"),
        ("lower_metric: view", "lower_metric: sight", "there is no metric sight"),
        ("start: no_augmentation", "start: nothing", "there is no model nothing"),
        ("identity: top1", "identity: top2", "there is no metric top2"),
        (
            "exhibit: table_2, metric: top5}",
            "exhibit: table_2, metric: view}",
            "families: each exhibit and metric of a claim must be in one, with a name: "
            "[('table_2', 'top5'), ('table_2', 'view')]",
        ),
        ("Figure 4, top-5", "Figure 4, top-1", "families: each exhibit and metric of a claim must be in one, with a"),
        ("data.image_size:", "data.side:", "there is no setting data.side"),
        ("exhibit: figure_8", "exhibit: figure_7", "there is no exhibit with a measurement figure_7"),
        ("{5: 29.77,", "{5: 129.77,", "exhibits.table_1.rows.0.accuracy.5: Input should be less than or equal to 100"),
        ("    margin: 5\n", "    margins: 5\n", "claims.1.margins: Extra inputs are not permitted"),
        ("paper:\n", "paper: [\n", "is no valid YAML"),
    ],
)
def test_a_broken_file_gives_one_sentence(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = REFERENCES.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "references.yaml"
    broken.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BenchmarkError) as caught:
        load(broken)
    message = str(caught.value)
    assert message.startswith(str(broken))
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [None, "", "[1, 2]"])
def test_a_missing_or_empty_file_gives_one_sentence(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "references.yaml").write_text(content)
    with pytest.raises(BenchmarkError, match=r"references\.yaml"):
        load(tmp_path / "references.yaml")
