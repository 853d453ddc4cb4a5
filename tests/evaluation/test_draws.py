"""Which classes and images a measurement is made on."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from benchmark.evaluation.draws import draw


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
