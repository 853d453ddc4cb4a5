"""Models and controls in one order."""

import pandas as pd

from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.reporting.order import CONTROLS, MODELS, in_order, place
from models.registry import BUILT_IN, TABLE_2


def test_the_paper_s_order_then_one_s_own_models_then_controls() -> None:
    names = ["real", "copy", "zebra", "a_model", "unet_noaim", "cnc28", "vanilla", "unet", "dr_gan", "ours"]
    expected = ["ours", "dr_gan", "unet", "vanilla", "cnc28", "unet_noaim", "a_model", "zebra", "real", "copy"]
    assert sorted(names, key=place) == expected


def test_what_is_made_elsewhere_stands_between_models_and_controls() -> None:
    names = ["copy", "a_row", "zebra", "vanilla"]
    assert sorted(names, key=lambda name: place(name, ["a_row"])) == ["vanilla", "zebra", "a_row", "copy"]


def test_every_model_and_every_control_has_a_place() -> None:
    assert set(MODELS) == set(BUILT_IN)
    assert [name for name in MODELS if name in TABLE_2 and name != "ours"] == list(TABLE_2)[:-1]
    assert set(CONTROLS) == {*OF_IDENTITY, *OF_FEWSHOT}


def test_rows_of_a_model_are_ordered_by_the_other_columns() -> None:
    table = pd.DataFrame({"model": ["copy", "ours", "ours"], "nc": [5, 20, 5]})
    assert in_order(table, "model", "nc").to_numpy().tolist() == [["ours", 5], ["ours", 20], ["copy", 5]]
