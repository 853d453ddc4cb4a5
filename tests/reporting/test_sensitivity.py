"""The sensitivity table from planted rates."""

import pandas as pd
import pytest

from benchmark.reporting.sensitivity import sensitivity_table, sheet
from benchmark.reporting.sheets import markdown

SETTINGS = [(k, metric) for k in (1, 5) for metric in ("cosine", "euclidean")]


def planted(top1: dict[str, list[float]]) -> pd.DataFrame:
    """A table of models whose top-1 is given for each of SETTINGS; each has two seeds around it."""
    rows = [
        (model, seed, "random", 20, k, metric, value + shift, 0.9, 4)
        for model, values in top1.items()
        for (k, metric), value in zip(SETTINGS, values, strict=True)
        for seed, shift in enumerate((-0.05, 0.05))
    ]
    columns = ["model", "seed", "split", "nc", "neighbours", "metric", "top1", "top5", "n_draws"]
    return sensitivity_table(pd.DataFrame(rows, columns=columns), "smoke")


def text_of(top1: dict[str, list[float]]) -> str:
    return markdown(sheet(planted(top1), 5))


ORDERED = {"a": [0.3, 0.1, 0.1, 0.1], "b": [0.2, 0.2, 0.2, 0.2], "c": [0.1, 0.4, 0.3, 0.3], "d": [0.05, 0.3, 0.4, 0.4]}


def test_rates_are_means_over_seeds() -> None:
    table = planted({"a": [0.1, 0.2, 0.3, 0.4]})
    assert table["top1"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert set(table["n_seeds"]) == {2}
    assert set(table["n_draws"]) == {4}
    assert table["profile"].unique().tolist() == ["smoke"]


def test_each_model_has_a_line() -> None:
    text = text_of({"real": [0.9, 0.8, 0.7, 0.65], "a": [0.1, 0.2, 0.3, 0.4]})
    assert "| model | split | N_c | K = 1, euclidean | K = 5, euclidean | K = 1, cosine | K = 5, cosine |" in text
    assert "| a | random | 20 | 20.0 | 40.0 | 10.0 | 30.0 |" in text
    assert "| real | random | 20 | 80.0 | 65.0 | 90.0 | 70.0 |" in text
    assert "Means over training seeds and draws, without intervals. The other tables have K = 5, euclidean." in text
    assert text.endswith("\n")


def test_the_order_of_the_models_is_compared() -> None:
    text = text_of(ORDERED)
    assert "## Order of the models: Kendall's tau with K = 5, euclidean" in text
    assert "| random | 20 | 0.67 | 1.00 | -1.00 | 1.00 |" in text  # c and d change places; all are reversed
    assert "The lowest is -1.00." in text


def test_controls_are_not_in_the_order() -> None:
    two = {name: ORDERED[name] for name in ("a", "b")}
    assert "Kendall" not in text_of(two | {"real": [0.9] * 4, "copy": [0.1] * 4})
    assert text_of(ORDERED | {"real": [0.0] * 4}).count("| random | 20 | 0.67 | 1.00 | -1.00 | 1.00 |") == 1


def test_equal_models_have_no_order() -> None:
    text = text_of({name: [0.2, 0.2, 0.2, 0.2] for name in "abc"})
    assert "| random | 20 | n/a | n/a | n/a | n/a |" in text
    assert "The lowest is n/a." in text
