"""Every figure of the results, drawn from the stored rows and the tables made of them."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from benchmark.reporting.figures import accuracy, further, samples, scatter
from benchmark.reporting.figures.canvas import Picture, remove_others, save, styles, theme
from benchmark.reporting.tables import elsewhere
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
        published: `exhibits.values` of `table_1` and `table_2`, to be drawn beside the run's own numbers.
    """
    names = [*tables.identity["model"], *tables.fewshot["model"], *rows.learning["model"], *rows.samples.grids]
    known = styles(names, elsewhere(tables.identity))
    settings, identity = rows.facts.settings, tables.identity
    data = settings.data
    of_paper = chain(  # drawn one after the other
        samples.by_model(rows.samples, settings),
        accuracy.table_1(tables.fewshot, published.get("table_1"), known),
        accuracy.table_2(tables.ablation, published.get("table_2"), known),
    )
    drawings = chain(
        accuracy.methods(identity, settings, known),
        () if data.own else of_paper,
        accuracy.versions(identity, known),
        () if data.own else samples.figure_8(rows.samples, data.views),
        scatter.draw(identity, known),
        further.matrices(tables.views, data.views, known),
        further.costs(identity, tables.models, rows.costs, known),
        further.learning(rows.learning, known),
        samples.every_method(rows.samples, data.views),
        samples.of_each_model(rows.samples, data.views, list(known)),
    )
    with theme():
        pictures = [save(drawing, results, rows.facts.label) for drawing in drawings]
    remove_others(pictures, results)
    return pictures
