"""From which view to which view a model can turn."""

from collections.abc import Iterable, Sequence

import pandas as pd

from benchmark.evaluation.rates import rates
from benchmark.reporting.order import in_order
from benchmark.results.rates import OF_TARGETS
from benchmark.results.records import Measured

KEYS = ["profile", "model", "split", "nc", "source", "target"]


def views_table(measured: Iterable[Measured], views: Sequence[str], profile: str) -> pd.DataFrame:
    """Return one row for each (model, split, nc, view of the input, target view): joint, top1, view.

    The rates are means, without intervals, over the outputs of all training seeds and draws, which `n` counts.

    Args:
        measured: the measurements.
        views: names of the views by their numbers, which give the order of the rows.
        profile: name of the run.
    """
    table = pd.concat([_matrix(each) for each in measured], ignore_index=True).assign(profile=profile)
    table = in_order(table, *KEYS)
    names = dict(enumerate(views))
    return table.assign(**{end: table[end].map(names) for end in ("source", "target")})[[*KEYS, *OF_TARGETS, "n"]]


def _matrix(each: Measured) -> pd.DataFrame:
    groups = rates(each.outcomes, each.nc)[list(OF_TARGETS)].groupby([each.outcomes["source"], each.outcomes["target"]])
    found = groups.mean().assign(n=groups.size()).reset_index()
    return found.assign(model=each.model, split=each.split, nc=each.nc)
