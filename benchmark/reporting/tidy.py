"""The tidy tables of results, all made from the stored rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.files import write_text
from benchmark.reporting import ablation, differences, fewshot, tables
from benchmark.reporting.order import in_order
from benchmark.reporting.views import views_table
from benchmark.results.rows import Rows, write_csv

FIRST = ["profile", "row", "model", "paper"]  # columns of the ablation
Metrics = Mapping[str, Mapping[str, Mapping[str, float]]]  # model -> measurement -> rate -> value


@dataclass(frozen=True)
class Tidy:
    """One row for each measurement, as the docstrings of the functions that make them say.

    `identity` and `ablation` have all columns; their files have the columns COMPARED alone, and `identity_diagnostics`
    has the rest.
    """

    identity: pd.DataFrame
    views: pd.DataFrame
    differences: pd.DataFrame
    ablation: pd.DataFrame
    fewshot: pd.DataFrame
    fewshot_differences: pd.DataFrame
    models: pd.DataFrame

    def write(self, results: Path) -> None:
        """Write each as `<name>.csv`, and the rates of each model as `metrics/<model>.json`, a line each for DVC."""
        compared = {name: getattr(self, name).filter([*FIRST, *tables.COMPARED]) for name in ("identity", "ablation")}
        diagnostics = {"identity_diagnostics": tables.diagnostics(self.identity)}
        for name, table in {**vars(self), **compared, **diagnostics}.items():
            write_csv(table, results / f"{name}.csv")
        metrics = _merged(tables.metrics(self.identity), fewshot.metrics(self.fewshot))
        for old in (results / "metrics").glob("*.json"):
            if old.stem not in metrics:
                old.unlink()
        for model, rates in metrics.items():
            write_text(results / "metrics" / f"{model}.json", json.dumps(rates, indent=2) + "\n")


def tidy(rows: Rows) -> Tidy:
    """Return the tables of the rows."""
    name, settings = rows.facts.name, rows.facts.settings
    identity = tables.identity_table(rows.identity, name)
    families = fewshot.families(rows.fewshot, settings.fewshot)
    return Tidy(
        identity,
        views_table(rows.identity, settings.data.views, name),
        differences.differences_table(differences.identity_families(rows.identity), differences.IDENTITY_KEYS, name),
        ablation.table(identity),
        fewshot.fewshot_table(rows.fewshot, settings.fewshot, name),
        differences.differences_table(families, fewshot.FAMILY, name, first=[fewshot.START]),
        in_order(rows.models.rename(columns={"map": "connection_size"}), "model"),
    )


def _merged(identity: Metrics, recognised: Metrics) -> Metrics:
    return {name: {**identity.get(name, {}), **recognised.get(name, {})} for name in {**identity, **recognised}}
