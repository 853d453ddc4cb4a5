"""Every figure of the results, drawn from the stored rows and the tables made of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from benchmark.reporting.curves import FACES
from benchmark.reporting.figures import accuracy, costs, dots, learning, matrices, samples, scatter
from benchmark.reporting.figures.saving import Drawing, remove_others, save
from benchmark.reporting.figures.style import Looks, looks, theme
from benchmark.reporting.pictures import Picture
from benchmark.reporting.tidy import Tidy
from benchmark.results.rows import Rows

Published = Mapping[str, pd.DataFrame]
NOTHING: Published = MappingProxyType({})


def draw_all(rows: Rows, tables: Tidy, results: Path, published: Published = NOTHING) -> list[Picture]:
    """Draw every figure there are rows for, as PNG and SVG; return them in the order of reading.

    Figures of earlier runs that are not drawn any more are removed from `paper/` and `figures/`, other files stay.

    Args:
        rows: the stored rows.
        tables: what `tidy` made of them.
        results: folder of the results.
        published: `published.values` of `table_1` and `table_2`, to be drawn beside the run's own numbers.
    """
    known = looks([*tables.identity["model"], *tables.fewshot["model"], *rows.learning["model"], *rows.samples.grids])
    with theme():
        drawings = _drawings(rows, tables, published, known)
        pictures = [save(drawing, results, rows.facts.name) for drawing in drawings]
    remove_others(pictures, results)
    return pictures


def _drawings(rows: Rows, tables: Tidy, published: Published, known: Looks) -> Iterator[Drawing]:
    data = rows.facts.settings.data
    faces, views = data.dataset == FACES, data.views
    yield from accuracy.methods(tables.identity, data.dataset, known)
    yield from samples.by_model(rows.samples, views, faces)
    yield from dots.table_1(tables.fewshot, published.get("table_1"), known)
    yield from dots.table_2(tables.ablation, published.get("table_2"), known)
    yield from accuracy.versions(tables.identity, known)
    yield from samples.figure_8(rows.samples, views)
    yield from scatter.draw(tables.identity, known)
    yield from matrices.draw(tables.views, views, known)
    yield from costs.draw(tables.identity, tables.models, rows.costs, known)
    yield from learning.draw(rows.learning, known)
    yield from samples.of_each_model(rows.samples, views, list(known))
