"""Classes and images that a measurement is made on."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from benchmark.evaluation.draws import draw, measurable, usable


def manifest(sizes: list[int]) -> pd.DataFrame:
    """Standard classes of the given sizes, mixed with images of two other splits."""
    rows = [(f"s{n:02}", "standard") for n, size in enumerate(sizes) for _ in range(size)]
    rows += [(f"a{n}", split) for n in range(4) for split in ("auxiliary", "validation") for _ in range(10)]
    table = pd.DataFrame(rows, columns=["identity", "split"])
    return table.sample(frac=1, random_state=0, ignore_index=True)


SIZES = [10 + n for n in range(30)]


def test_the_same_axes_give_the_same_draw() -> None:
    table = manifest(SIZES)
    first, second = (draw(table, "rendered", 12, 3, 0.2) for _ in range(2))
    assert np.array_equal(first.train, second.train)
    assert np.array_equal(first.test, second.test)


@pytest.mark.parametrize("other", [("compcars", 12, 3), ("rendered", 13, 3), ("rendered", 12, 4)])
def test_each_axis_changes_the_classes(other: tuple[str, int, int]) -> None:
    table = manifest(SIZES)
    classes = [set(table["identity"][draw(table, *axes, 0.2).test]) for axes in (("rendered", 12, 3), other)]
    assert classes[0] != classes[1]


@pytest.mark.parametrize("nc", [2, 12, 30])
def test_all_images_of_the_classes_split_8_to_2(nc: int) -> None:
    table = manifest(SIZES)
    made = draw(table, "rendered", nc, 0, 0.2)
    assert not set(made.train) & set(made.test)
    train, test = (Counter(table["identity"][part]) for part in (made.train, made.test))
    assert len(train) == len(test) == nc
    assert all(name.startswith("s") for name in train)
    whole = Counter(table["identity"])
    for name in train:
        assert train[name] + test[name] == whole[name]
        assert abs(test[name] - 0.2 * whole[name]) <= 0.5
    assert len(made.test) == pytest.approx(0.2 * (len(made.test) + len(made.train)), abs=0.03 * len(made.train))


@pytest.mark.parametrize("sizes", [[2] * 5, [3] * 5, [2, 3, 40, 41], [4, 100]])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.9])
def test_small_classes_stand_in_both_parts(sizes: list[int], share: float) -> None:
    table = manifest(sizes)
    for repetition in range(3):
        made = draw(table, "rendered", len(sizes), repetition, share)
        for part in (made.train, made.test):
            assert table["identity"][part].nunique() == len(sizes)


def test_every_image_is_tested_now_and_then() -> None:
    table = manifest([10, 10])
    tested = Counter(position for n in range(200) for position in draw(table, "rendered", 2, n, 0.2).test)
    assert set(tested) == set(np.flatnonzero(table["split"] == "standard"))
    assert min(tested.values()) > 15  # 40 expected


def grouped(years: list[list[int]]) -> pd.DataFrame:
    """Standard classes with groups of the given sizes, whose names all classes share, and other splits."""
    rows = [
        (f"s{n:02}", "standard", f"year{k}")
        for n, sizes in enumerate(years)
        for k, size in enumerate(sizes)
        for _ in range(size)
    ]
    rows += [(f"a{n}", split, f"year{k}") for n in range(4) for split in ("auxiliary", "validation") for k in range(3)]
    return pd.DataFrame(rows, columns=["identity", "split", "group"]).sample(frac=1, random_state=0, ignore_index=True)


def groups(table: pd.DataFrame, positions: np.ndarray) -> set[tuple[str, str]]:
    """The identity and group of some images."""
    rows = table.iloc[positions]
    return set(zip(rows["identity"], rows["group"], strict=True))


YEARS = [[3, 4, 5], [9], [2, 2], [1, 1, 8, 1, 1, 1, 1, 1, 1, 1], [5, 1], [12]]


def test_the_random_draws_stay_the_same() -> None:
    made = draw(manifest([10, 12, 11]), "rendered", 2, 1, 0.2)
    assert made.test.tolist() == [58, 62, 73, 89]
    assert (len(made.train), int(made.train.sum())) == (17, 670)


def test_groups_matter_to_the_grouped_split_alone() -> None:
    table = grouped(YEARS)
    other = table.assign(group="one")
    for part in ("train", "test"):
        first, second = (getattr(draw(each, "rendered", 3, 0, 0.2), part) for each in (table, other))
        assert np.array_equal(first, second)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.95])
def test_no_group_of_an_identity_stands_on_both_sides(share: float) -> None:
    table = grouped(YEARS)
    for repetition in range(5):
        made = draw(table, "rendered", 3, repetition, share, "grouped")
        train, test = groups(table, made.train), groups(table, made.test)
        classes = {name for name, _ in train}
        assert not train & test
        assert classes == {name for name, _ in test} <= {"s00", "s02", "s03", "s04"}
        assert len(classes) == 3
        drawn = table["identity"].isin(classes) & (table["split"] == "standard")
        assert sorted([*made.train, *made.test]) == np.flatnonzero(drawn).tolist()
        for name in classes:
            whole = len(YEARS[int(name[1:])])
            tested = sum(identity == name for identity, _ in test)
            assert tested == min(max(1, round(share * whole)), whole - 1)


def test_the_random_split_does_mix_groups() -> None:
    table = grouped(YEARS)
    made = draw(table, "rendered", 3, 0, 0.2)
    assert groups(table, made.train) & groups(table, made.test)


def test_each_group_is_tested_now_and_then() -> None:
    table = grouped([[3, 4, 5], [2, 2]])
    draws = (draw(table, "rendered", 2, n, 0.2, "grouped") for n in range(100))
    tested = Counter(group for made in draws for group in groups(table, made.test))
    assert len(tested) == 5
    assert min(tested.values()) > 15  # 33 or 50 expected


def test_identities_of_a_single_group_are_not_usable() -> None:
    table = grouped(YEARS)
    assert usable(table, "random") == [f"s{n:02}" for n in range(6)]
    assert usable(table, "grouped") == ["s00", "s02", "s03", "s04"]


def test_the_grouped_split_needs_enough_identities() -> None:
    found, account = measurable(grouped(YEARS), (2, 4, 5, 6))
    assert found == [("random", 2), ("random", 4), ("random", 5), ("random", 6), ("grouped", 2), ("grouped", 4)]
    assert account == "grouped split: 4 of 6 identities have two groups or more; too few for N_c 5, 6"
    assert measurable(grouped(YEARS), (2, 4))[1] == "grouped split: 4 of 6 identities have two groups or more"


def test_groups_of_one_image_are_no_groups() -> None:
    found, account = measurable(grouped([[1] * 5] * 4), (2, 4))
    assert found == [("random", 2), ("random", 4)]
    assert account == "grouped split: left out, every group is a single image"
    assert ("grouped", 2) in measurable(grouped([[1] * 5] * 3 + [[2, 1]]), (2, 4))[0]
