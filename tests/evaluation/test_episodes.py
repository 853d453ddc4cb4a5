"""The classes and images of few-shot episodes."""

import numpy as np
import pandas as pd
import pytest

from benchmark.errors import BenchmarkError
from benchmark.evaluation.episodes import check, draw, draw_all

SIZES = {f"m{n:02}": 4 + n for n in range(12)}  # images of each standard identity
SHOTS = (2, 5)


def manifest() -> pd.DataFrame:
    names = [name for name, size in SIZES.items() for _ in range(size)]
    table = pd.DataFrame({"identity": ["aux"] * 30 + names, "split": ["auxiliary"] * 30 + ["standard"] * len(names)})
    return table.assign(image=[f"{n}.jpg" for n in range(len(table))])


TABLE = manifest()


def episode(number: int = 0, ways: int = 6) -> pd.DataFrame:
    return draw(TABLE, "test", ways, SHOTS, number)


def test_an_episode_holds_every_image_of_its_classes_once() -> None:
    drawn = episode()
    assert drawn["identity"].nunique() == 6
    for name, rows in drawn.groupby("identity"):
        assert len(rows) == SIZES[str(name)]
        assert sorted(rows["order"]) == list(range(len(rows)))
    assert drawn["position"].is_unique
    assert (TABLE["image"].iloc[drawn["position"]].to_numpy() == drawn["image"]).all()
    assert (TABLE["identity"].iloc[drawn["position"]].to_numpy() == drawn["identity"]).all()
    assert (drawn.groupby("label")["identity"].nunique() == 1).all()
    assert sorted(drawn["label"].unique()) == list(range(6))


def test_classes_without_an_image_to_test_on_are_never_drawn() -> None:
    drawn = draw_all(TABLE, "test", 6, SHOTS, 50)
    small = {name for name, size in SIZES.items() if size <= max(SHOTS)}
    assert small == {"m00", "m01"}
    assert set(drawn["identity"]) == set(SIZES) - small


def test_classes_are_the_same_for_every_number_of_shots() -> None:
    both, more = draw(TABLE, "test", 6, (2, 5), 3), draw(TABLE, "test", 6, (5,), 3)
    pd.testing.assert_frame_equal(both, more)


def test_episodes_repeat_and_differ() -> None:
    pd.testing.assert_frame_equal(episode(1), episode(1))
    assert set(episode(0)["identity"]) != set(episode(1)["identity"])
    every = draw_all(TABLE, "test", 6, SHOTS, 2)
    pd.testing.assert_frame_equal(every[every["episode"] == 1].reset_index(drop=True), episode(1))


def test_training_images_are_drawn_at_random() -> None:
    firsts = [episode(n).query("identity == 'm11' and order == 0")["position"] for n in range(40)]
    places = np.concatenate([first.to_numpy() for first in firsts])
    assert len(set(places)) > 5


def test_enough_classes_pass() -> None:
    check(TABLE, 10, SHOTS)


def test_too_few_classes_are_refused_by_name() -> None:
    message = (
        r"few-shot needs 11 classes with at least 6 images .* 10 of the 12 .*too small: m00 \(4\), m01 \(5\); lower"
    )
    with pytest.raises(BenchmarkError, match=message):
        check(TABLE, 11, SHOTS)


def test_a_long_list_of_small_classes_is_cut() -> None:
    with pytest.raises(BenchmarkError, match=r"m09 \(13\) and 2 more; lower"):
        check(TABLE, 2, (20,))


def test_no_class_is_too_small_but_there_are_too_few() -> None:
    with pytest.raises(BenchmarkError, match="12 of the 12 standard identities have them; too small: none; lower"):
        check(TABLE, 13, (1,))
