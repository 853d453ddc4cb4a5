"""Splitting: sizes, disjointness, and independence of the order of rows."""

import pandas as pd
import pytest

from benchmark.config.settings import Count, Data
from benchmark.data import splitting
from benchmark.errors import BenchmarkError

VIEWS = ("left", "front")


def manifest(identities: int, split: str | None = None) -> pd.DataFrame:
    names = [f"m{i:04}" for i in range(identities) for _ in VIEWS]
    table = pd.DataFrame({"identity": names, "view": list(VIEWS) * identities})
    return table.assign(image=table.index.astype(str), split=pd.Series(split, table.index, dtype=object))


def sizes(table: pd.DataFrame) -> dict[str, int]:
    return dict(table.groupby("split")["identity"].nunique())


def names(table: pd.DataFrame, split: str) -> set[str]:
    return set(table.loc[table["split"] == split, "identity"])


@pytest.mark.parametrize(
    ("identities", "auxiliary", "standard", "expected"),
    [
        (1477, 0.8, None, (1063, 118, 296)),
        (196, 0.8, None, (140, 16, 40)),
        (337, 200, 137, (180, 20, 137)),
        (100, 0.57, 0.43, (51, 6, 43)),
        (10, 5, 3, (4, 1, 3)),
        (5, 3, None, (2, 1, 2)),
    ],
)
def test_sizes(identities: int, auxiliary: Count, standard: Count | None, expected: tuple[int, int, int]) -> None:
    table, line = splitting.assign(manifest(identities), Data(views=VIEWS, auxiliary=auxiliary, standard=standard))
    assert sizes(table) == dict(zip(("auxiliary", "validation", "standard"), expected, strict=True))
    assert table.groupby("identity")["split"].nunique().max() == 1
    assert f"{2 * expected[0]} images of {expected[0]} identities to train" in line
    assert f"; {identities - sum(expected) or 'no'} identities unused" in line


def test_labels() -> None:
    table, _ = splitting.assign(manifest(20), Data(views=VIEWS))
    training = sorted(names(table, "auxiliary"))
    for row in table.itertuples():
        assert row.identity_label == (training.index(row.identity) if row.split == "auxiliary" else -1)
        assert VIEWS[row.view_label] == row.view


def test_the_order_of_rows_does_not_matter_but_the_data_set_does() -> None:
    table = manifest(50)
    first, _ = splitting.assign(table, Data(views=VIEWS))
    shuffled, _ = splitting.assign(table.sample(frac=1, random_state=0), Data(views=VIEWS))
    other, _ = splitting.assign(table, Data(views=VIEWS, dataset="table", root="."))
    pd.testing.assert_frame_equal(
        first,
        shuffled.sort_values("identity", kind="stable").sort_values(
            "image", key=lambda s: s.astype(int), ignore_index=True
        ),
    )
    assert names(first, "standard") != names(other, "standard")


def test_order_by_name_deals_the_first_names() -> None:
    table, _ = splitting.assign(manifest(10), Data(views=VIEWS, order="name", auxiliary=6, standard=2))
    assert names(table, "standard") == {"m0006", "m0007"}
    assert names(table, "auxiliary") | names(table, "validation") == {f"m{i:04}" for i in range(6)}


def test_random_order_is_random() -> None:
    table, _ = splitting.assign(manifest(50), Data(views=VIEWS))
    assert names(table, "standard") != {f"m{i:04}" for i in range(40, 50)}


def test_a_prescribed_split_is_kept() -> None:
    table = manifest(10, "auxiliary")
    table.loc[table["identity"] < "m0003", "split"] = "standard"
    result, _ = splitting.assign(table, Data(views=VIEWS))
    assert names(result, "standard") == {"m0000", "m0001", "m0002"}
    assert sizes(result) == {"auxiliary": 6, "standard": 3, "validation": 1}
    table.loc[0, "split"] = "auxiliary"
    with pytest.raises(BenchmarkError, match=r"m0000"):
        splitting.assign(table, Data(views=VIEWS))


@pytest.mark.parametrize(
    ("identities", "changes", "sentence"),
    [
        (10, {"auxiliary": 8, "standard": 3}, r"8 and 3 identities, .* 10 "),
        (10, {"auxiliary": 11}, r"11 and 0 identities, .* 10 "),
        (10, {"auxiliary": 9}, r"8 identities .* 1 .* 2"),
        (10, {"auxiliary": 2}, r"1 identities .* 8 "),
        (1, {}, r"0 identities for training"),
    ],
)
def test_too_few_identities(identities: int, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BenchmarkError, match=sentence):
        splitting.assign(manifest(identities), Data.model_validate({"views": VIEWS, **changes}))
