"""Outcomes on planted features, where the right answer is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmark.evaluation.draws import Draw, draw
from benchmark.evaluation.identity import outcomes
from benchmark.evaluation.outputs import Outputs, pairs
from benchmark.evaluation.rates import rates

VIEWS, CLASSES, IMAGES = 3, 15, 10


def manifest() -> pd.DataFrame:
    names = [f"m{n:02}" for n in range(CLASSES) for _ in range(IMAGES)]
    table = pd.DataFrame({"identity": names, "split": "standard"})
    extra = pd.DataFrame({"identity": ["aux"] * 7, "split": "auxiliary"})
    table = pd.concat([extra, table], ignore_index=True)
    return table.assign(image=[f"{n}.jpg" for n in range(len(table))], view_label=np.arange(len(table)) % VIEWS)


TABLE = manifest()
CODES = TABLE["identity"].astype("category").cat.codes.to_numpy()


def planted(own_view_only: bool, seed: int = 0) -> Outputs:
    """Outputs whose features point to the identity and whose view is right."""
    position, target = pairs(TABLE, VIEWS, own_view_only)
    noise = np.random.default_rng(seed).normal(0, 0.01, size=(len(position), 512))
    features = (np.eye(512)[CODES[position]] + noise).astype(np.float32)
    unknown = np.zeros(len(position), np.float32)
    return Outputs(position, target, features, target.copy(), unknown, unknown, unknown)


def shuffled(of: Outputs) -> Outputs:
    return replace(of, features=np.random.default_rng(5).permutation(of.features))


def drawn(nc: int, count: int = 4) -> list[Draw]:
    return [draw(TABLE, "test", nc, n, 0.2) for n in range(count)]


def test_perfect_features_are_always_right() -> None:
    found = outcomes(drawn(12), TABLE, planted(True), planted(False, seed=1), 5)
    assert (rates(found, 12) == 1).all(axis=None)


def test_shuffled_features_are_right_by_chance() -> None:
    found = outcomes(drawn(12, 20), TABLE, planted(True), shuffled(planted(False)), 5)
    mean = rates(found, 12).mean()
    assert mean["top1"] == pytest.approx(1 / 12, abs=0.04)
    assert mean["top5"] == pytest.approx(5 / 12, abs=0.08)


def test_rows_say_what_they_are() -> None:
    draws = drawn(4, 2)
    found = outcomes(draws, TABLE, planted(True), planted(False), 5)
    assert len(found) == sum(len(each.test) for each in draws) * VIEWS
    for number, each in enumerate(draws):
        rows = found[found["draw"] == number]
        assert set(rows["image"]) == set(TABLE["image"].iloc[each.test])
        assert (rows.groupby("image")["target"].agg(sorted).map(tuple) == (0, 1, 2)).all()
    joined = found.merge(TABLE, on="image", suffixes=("", "_true"))
    assert (joined["identity"] == joined["identity_true"]).all()
    assert (joined["source"] == joined["view_label"]).all()


def test_views_are_compared_with_the_target() -> None:
    generated = planted(False)
    copied = replace(generated, view=TABLE["view_label"].to_numpy()[generated.position])
    found = outcomes(drawn(12), TABLE, planted(True), copied, 5)
    assert (found["view_right"] == (found["source"] == found["target"])).all()
    mean = rates(found, 12).mean()
    assert mean["view"] == mean["joint"] == pytest.approx(1 / VIEWS)


def test_only_drawn_classes_can_be_ranked() -> None:
    found = outcomes(drawn(4), TABLE, planted(True), shuffled(planted(False)), 5)
    assert set(found["rank"]) <= {0, 1, 2, 3}


def test_rates_one_by_one() -> None:
    outcome = pd.DataFrame({"rank": [0, 0, 3, 4, 5], "view_right": [True, False, True, True, False]})
    measured = rates(outcome, 11)
    assert measured["top1"].tolist() == [1, 1, 0, 0, 0]
    assert measured["top5"].tolist() == [1, 1, 1, 1, 0]
    assert measured["view"].tolist() == [1, 0, 1, 1, 0]
    assert measured["joint"].tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(("nc", "absent"), [(2, True), (10, True), (11, False), (80, False)])
def test_top5_needs_more_than_ten_classes(nc: int, absent: bool) -> None:
    outcome = pd.DataFrame({"rank": [0, 6], "view_right": [True, True]})
    assert rates(outcome, nc)["top5"].isna().all() == absent
