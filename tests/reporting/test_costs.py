"""The table of costs, with what is not known."""

import pandas as pd

from benchmark.reporting.render import costs_sheet
from tests.reporting import drawn


def test_costs_are_medians_over_seeds_and_unknown_ones_are_dashes() -> None:
    known = drawn.sizes(["ours", "lost"]).astype({"generator_parameters": "Int64", "macs": "Int64"})
    known.loc[1, ["generator_parameters", "macs"]] = None
    models = known.assign(connection_size=["8", "-"], width=[0.25, float("nan")])
    spent = pd.concat([drawn.costs(["ours"])] * 2).iloc[:3].assign(seconds=[60.0, 90.0, 900.0])
    (grid,) = costs_sheet(models, spent, "quick").grids
    assert list(grid.rows[0]) == ["ours", "8", "0.25", "100,000", "-", "700,000", "90", "-", 3, "a CPU"]
    assert list(grid.rows[1]) == ["lost", "-", "-", "-", "-", "-", "-", "-", 0, "-"]
    measured = spent.assign(peak_memory=[2.0**20, 2.0**20, 9 * 2.0**20])
    assert costs_sheet(models, measured, "quick").grids[0].rows[0][7] == "1"
