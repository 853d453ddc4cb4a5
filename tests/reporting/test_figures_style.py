"""Styles of rows, and positions of names and panels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from benchmark.reporting.figures.canvas import common_nc, entries, legend, panels, styles, theme
from benchmark.reporting.figures.scatter import name_points
from benchmark.reporting.order import CONTROLS, MODELS
from models.registry import BUILT_IN

OWN = [f"my_own_model_{n}" for n in range(7)]


def test_rows_look_different_and_controls_are_dashed() -> None:
    found = styles([*CONTROLS, *OWN, *BUILT_IN])
    assert list(found) == [*MODELS, *OWN, *CONTROLS]
    assert len({(style.colour, style.marker, style.hollow) for style in found.values()}) == len(found)
    assert {name for name, style in found.items() if style.line == "--"} == set(CONTROLS)
    assert {name for name, style in found.items() if style.line == "-."} == set(OWN)


def test_lines_of_one_figure_differ_in_colour_or_line() -> None:
    found = styles([*BUILT_IN, *OWN])
    assert len({(style.colour, style.line, style.hollow) for style in found.values()}) == len(found)


def test_a_model_looks_the_same_whatever_else_there_is() -> None:
    everything = styles([*BUILT_IN, *CONTROLS, "mine"])
    for name in ("ours", "unet", "cnc28", "copy", "mine"):
        assert styles([name])[name] == everything[name]


def test_the_legend_stays_on_the_figure() -> None:
    with theme():
        figure, _ = panels(4, 2, 2.0)
        legend(figure, entries([*BUILT_IN, *OWN], styles([*BUILT_IN, *OWN])))
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(names) == sorted([*BUILT_IN, *OWN])
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= box.y0 < box.y1 <= min(axis.get_tightbbox().y0 for axis in figure.axes)


@pytest.mark.parametrize("spread", [0.03, 0.4])
def test_names_cover_neither_each_other_nor_a_point(spread: float) -> None:
    random = np.random.default_rng(0)
    points = {
        f"model_{n}": (float(x), float(y))
        for n, (x, y) in enumerate(random.uniform(0.5 - spread, 0.5 + spread, (12, 2)))
    }
    with theme():
        figure = Figure(figsize=(6, 5))
        axis = figure.subplots()
        axis.set(xlim=(0, 1), ylim=(0, 1))
        name_points(figure, axis, points, points.values(), [])
        figure.draw(FigureCanvasAgg(figure).get_renderer())
        boxes = {text.get_text(): Text.get_window_extent(text) for text in axis.texts if isinstance(text, Annotation)}
        places = [axis.transData.transform(point) for point in points.values()]
    assert list(boxes) == list(points)
    for name, box in boxes.items():
        others = [other for label, other in boxes.items() if label != name]
        assert box.count_overlaps(others) == 0
        assert not any(box.contains(*place) for place in places)
        assert axis.bbox.contains(box.x0, box.y0)
        assert axis.bbox.contains(box.x1, box.y1)


def test_names_keep_off_lines_where_they_can() -> None:
    with theme():
        figure = Figure(figsize=(6, 5))
        axis = figure.subplots()
        axis.set(xlim=(0, 1), ylim=(0, 1))
        across = Bbox.from_extents(0.1, 0.5, 0.9, 0.5)
        name_points(figure, axis, {"here": (0.5, 0.5)}, [(0.5, 0.5)], [across])
        box = Text.get_window_extent(axis.texts[0])
    assert box.count_overlaps([across.transformed(axis.transData)]) == 0


def test_the_common_number_of_classes_is_the_smallest_that_most_models_have() -> None:
    table = pd.DataFrame({"model": ["a", "b", "a", "b", "a"], "nc": [50, 50, 20, 20, 5]})
    assert common_nc(table) == 20
