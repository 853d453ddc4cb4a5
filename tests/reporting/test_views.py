"""The matrix of source and target views by hand."""

import pandas as pd

from benchmark.reporting.tidy import views_table
from benchmark.results.records import Measured, Trained

VIEWS = ("left", "front", "right")


def outcomes(rows: list[tuple[int, int, int, bool]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["source", "target", "rank", "view_right"])
    return table.assign(identity="a", image="a.png", draw=0, seed=0)


def test_a_row_is_a_pair_of_views() -> None:
    turned = outcomes([(1, 0, 0, True), (1, 0, 3, True), (0, 1, 0, False), (0, 2, 0, True), (0, 2, 0, True)])
    own = outcomes([(2, 2, 0, True)])
    measured = [Measured("ours", Trained(), "random", 20, turned), Measured("copy", Trained(), "grouped", 5, own)]
    table = views_table(measured, VIEWS, "smoke")
    assert list(table) == ["profile", "model", "split", "nc", "source", "target", "joint", "top1", "view", "n"]
    assert table.to_numpy().tolist() == [
        ["smoke", "ours", "random", 20, "left", "front", 0.0, 1.0, 0.0, 1],  # left before front, as the views are
        ["smoke", "ours", "random", 20, "left", "right", 1.0, 1.0, 1.0, 2],
        ["smoke", "ours", "random", 20, "front", "left", 0.5, 0.5, 1.0, 2],
        ["smoke", "copy", "grouped", 5, "right", "right", 1.0, 1.0, 1.0, 1],
    ]
