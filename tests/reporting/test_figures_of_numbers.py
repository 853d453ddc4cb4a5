"""Figures show what the tables say."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from benchmark.reporting.exhibits import ablation_table
from benchmark.reporting.figures import accuracy, further, scatter
from benchmark.reporting.figures.canvas import Drawing, styles, theme
from tests.reporting import drawn
from tests.reporting.made import profile

MODELS = ["ours", "vanilla", "dr_gan", "copy"]
STYLES = styles([*MODELS, "no_augmentation"])


@pytest.fixture(autouse=True)
def _themed() -> Iterator[None]:
    with theme():
        yield


def only(drawings: Iterator[Drawing]) -> Figure:
    (drawing,) = drawings
    return drawing.figure


def points(axis: Axes) -> list[tuple[str, list[float], list[float], list[list[float]]]]:
    """Return colour, x and y of each line with error bars, and from where to where its bars reach, upwards."""
    found = []
    for container in axis.containers:
        line, _, bars = container
        assert isinstance(bars[-1], LineCollection)
        ends = [[segment[0][1], segment[1][1]] for segment in bars[-1].get_segments()]
        found.append((str(line.get_color()), list(line.get_xdata()), list(line.get_ydata()), ends))
    return found


def test_accuracy_has_every_rate_with_its_interval_of_the_random_split() -> None:
    table = drawn.identity(MODELS, splits=("random", "grouped"))
    figure = only(accuracy.methods(table, profile("quick"), STYLES))
    titles = ["joint on other views", "joint (identity and view)", "top-1 (identity)", "top-5 (identity)", "view"]
    assert [axis.get_title() for axis in figure.axes] == titles
    assert [bool(axis.get_xlabel()) for axis in figure.axes] == [False, False, True, True, True]  # the lowest ones
    named = [name for name in STYLES if name in MODELS and name != "vanilla"]
    for axis, rate in zip(figure.axes, ("joint_cross", "joint", "top1", "top5", "view"), strict=True):
        for name, (colour, x, y, ends) in zip(named, points(axis), strict=True):
            own = table[(table["model"] == name) & (table["split"] == "random")]
            assert colour == STYLES[name].colour
            assert y == own[rate].tolist()
            np.testing.assert_allclose(ends, own[[f"{rate}_ci_low", f"{rate}_ci_high"]])
            np.testing.assert_allclose(np.diff(x), 30)
            assert abs(x[0] - 20) < 15


def test_rates_without_numbers_have_no_panel() -> None:
    table = drawn.identity(MODELS, [5]).assign(top5=np.nan)
    figure = only(accuracy.methods(table, profile("quick"), STYLES))
    assert [axis.get_title().split()[0] for axis in figure.axes] == ["joint", "joint", "top-1", "view"]
    assert figure.axes[0].get_xticks().tolist() == [5]
    assert len({tuple(x) for _, x, *_ in points(figure.axes[0])}) == 3  # side by side


def test_versions_of_table_2_are_apart() -> None:
    table = drawn.identity(MODELS)
    assert len(points(only(accuracy.versions(table, STYLES)).axes[0])) == 2
    assert list(accuracy.versions(table[table["model"] != "vanilla"], STYLES)) == []


def test_table_1_has_a_row_of_dots_for_each_row_and_the_papers_numbers_beside() -> None:
    table = drawn.fewshot(["no_augmentation", "ours"])
    published = pd.DataFrame(
        [("ours", 20, 5, "accuracy", 0.52), ("ours", 5, 5, "accuracy", 0.9), ("cr_gan", 20, 5, "accuracy", 0.3)],
        columns=["model", "way", "shot", "metric", "published"],
    )
    figure = only(accuracy.table_1(table, published, STYLES))
    five, ten = figure.axes
    assert [label.get_text() for label in five.get_yticklabels()] == ["no_augmentation", "ours"]
    assert five.get_ylim()[0] > five.get_ylim()[1]  # the first row is on top
    assert [(x, y) for _, x, y, _ in points(five)] == [([pytest.approx(0.25)], [0]), ([pytest.approx(0.35)], [1])]
    assert [(x, y) for _, x, y, _ in points(ten)] == [([pytest.approx(0.3)], [0]), ([pytest.approx(0.4)], [1])]
    assert [published_marks(axis) for axis in (five, ten)] == [[(0.52, 1)], []]
    assert explained(figure) == ["chance", "published (CompCars, 224 px)"]
    assert explained(only(accuracy.table_1(table, None, STYLES))) == ["chance"]


def test_table_2_has_its_rows_in_the_papers_order() -> None:
    published = pd.DataFrame(
        [("vanilla", "top5", 50, 0.575), ("ours", "top1", 20, 0.56)], columns=["model", "metric", "nc", "published"]
    )
    figure = only(accuracy.table_2(ablation_table(drawn.identity(MODELS)), published, STYLES))
    names = ["vanilla", "vanilla + CNC(28) + AIM"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == names
    assert [axis.get_title() for axis in figure.axes[:2]] == [f"top-1 (identity), {nc} classes" for nc in (20, 50)]
    assert sorted((x, y) for _, x, y, _ in points(figure.axes[0])) == [([0.28], [1]), ([0.33], [0])]
    assert [published_marks(axis) for axis in figure.axes] == [[(0.56, 1)], [], [], [(0.575, 0)]]


def published_marks(axis: Axes) -> list[tuple[float, float]]:
    lines = [line for line in axis.lines if line.get_marker() == "|" and line.get_markersize() == 12]
    return [place for line in lines for place in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def explained(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_joint_over_view_names_controls_and_models_in_panels_of_their_own() -> None:
    table = drawn.identity(MODELS)
    figure = only(scatter.draw(table, STYLES))
    smallest = table[table["nc"] == 20]
    for (whole, models), rates in (
        (figure.axes[:2], ["view_cross", "joint_cross"]),
        (figure.axes[2:], ["view", "joint"]),
    ):
        assert [text.get_text() for text in whole.texts] == ["copy"]
        assert sorted(text.get_text() for text in models.texts) == ["dr_gan", "ours", "vanilla"]
        assert sorted(x + y for _, x, y, _ in points(whole)) == sorted(smallest[rates].to_numpy().tolist())
    assert len(only(scatter.draw(table[table["model"] != "copy"], STYLES)).axes) == 2
    assert len(only(scatter.draw(table[table["model"] == "copy"], STYLES)).axes) == 2
    table.loc[table["model"] == "vanilla", "joint_cross"] /= 10
    named = [sorted(text.get_text() for text in axis.texts) for axis in only(scatter.draw(table, STYLES)).axes[:2]]
    assert named == [["copy", "vanilla"], ["dr_gan", "ours"]]  # what is far below the best is not enlarged


def test_what_shows_its_own_view_alone_is_drawn_over_all_views_only() -> None:
    table = drawn.identity([*MODELS, "real"])
    apart = [column for column in table if "_cross" in column]
    table.loc[table["model"] == "real", apart] = np.nan
    styled = styles([*MODELS, "real"])
    figure = only(scatter.draw(table, styled))
    assert [sorted(text.get_text() for text in axis.texts) for axis in figure.axes[::2]] == [
        ["copy"],
        ["copy", "real"],
    ]
    only(accuracy.methods(table, profile("quick"), styled)).draw_without_rendering()
    alone = only(scatter.draw(table[table["model"] == "real"], styled))
    assert [axis.get_title() for axis in alone.axes] == ["all target views: all"]


def test_costs_that_are_not_known_have_no_panel() -> None:
    table, models = drawn.identity(MODELS), MODELS[:-1]
    figure = only(further.costs(table, drawn.sizes(models), drawn.costs(models), STYLES))
    assert len(figure.axes) == 9
    assert "a CPU" in figure.axes[-1].get_xlabel()
    assert sorted(x[0] for _, x, *_ in points(figure.axes[0])) == [1e5, 2e5, 3e5]
    unknown = only(further.costs(table, drawn.sizes(models), drawn.costs(models, None), STYLES))
    assert [axis.get_xlabel().split()[0] for axis in unknown.axes[4:]] == ["parameters", "multiply-accumulates"]


def test_matrices_have_source_views_as_rows() -> None:
    figure = only(further.matrices(drawn.views(["ours", "copy"]), drawn.VIEWS, STYLES))
    assert [axis.get_title() for axis in figure.axes] == ["ours", "copy"]
    axis = figure.axes[0]
    assert axis.get_ylim()[0] > axis.get_ylim()[1]
    cells = {tuple(text.get_position()): text.get_text() for text in axis.texts}
    assert cells == {(0.5 + m, 0.5 + n): str(10 * n + m + 11) for n in range(3) for m in range(3)}
    assert [label.get_text() for label in axis.get_xticklabels()] == list(drawn.VIEWS)


def test_learning_curves_have_a_line_for_each_seed_and_their_mean() -> None:
    figure = only(further.learning(drawn.learning(["ours", "vanilla"]), STYLES))
    assert [axis.get_title() for axis in figure.axes] == ["ours", "vanilla"]
    discriminator = figure.axes[0].lines[:3]
    assert [list(line.get_ydata()) for line in discriminator] == [[1, 2, 3, 4], [2, 4, 6, 8], [1.5, 3, 4.5, 6]]
    assert list(discriminator[0].get_xdata()) == [32, 64, 96, 128]
    assert explained(figure) == ["discriminator", "generator"]
    one = drawn.learning(["ours"])
    assert len(only(further.learning(one[one["seed"] == 0], STYLES)).axes[0].lines) == 2


def test_long_logs_are_averaged_over_neighbouring_rows() -> None:
    rows = drawn.learning(["ours"], 1003)
    rows = rows[(rows["loss"] == "discriminator") & (rows["seed"] == 0)]
    found = further.averaged(rows)
    values, images = rows["value"].to_numpy(float), rows["images"].to_numpy(float)
    edges = [-(-1003 * n // 100) for n in range(101)]
    parts = [slice(first, last) for first, last in pairwise(edges)]
    np.testing.assert_allclose(found[0], [values[part].mean() for part in parts])
    np.testing.assert_allclose(found.index, [images[part].mean() for part in parts])
    assert further.averaged(rows[:7])[0].tolist() == values[:7].tolist()


@pytest.mark.parametrize("high", [0.0, np.nan])
@pytest.mark.filterwarnings("error")
def test_rates_of_zero_without_intervals_have_an_axis(high: float) -> None:
    table = drawn.identity(MODELS)
    table[["top1", "top1_ci_low"]], table["top1_ci_high"] = 0.0, high
    low, top = only(accuracy.methods(table, profile("quick"), STYLES)).axes[2].get_ylim()
    assert low < 0 < 1 < top
