"""The tidy tables of results, all made from the stored rows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.evaluation.rates import rates
from benchmark.files import write_text
from benchmark.reporting import differences, exhibits, fewshot, tables
from benchmark.reporting.order import in_order
from benchmark.results.rates import ACCURACY, OF_TARGETS, RATES
from benchmark.results.records import Measured
from benchmark.results.rows import DIGITS, Rows, write_csv

FIRST = ["profile", "row", "model", "paper"]  # columns of the ablation
VIEW_KEYS = ["profile", "model", "split", "nc", "source", "target"]


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
    internals: pd.DataFrame

    def write(self, results: Path) -> None:
        """Write each as `<name>.csv`, and the rates of each model as `metrics/<model>.json`, a line each for DVC."""
        compared = {name: getattr(self, name).filter([*FIRST, *tables.COMPARED]) for name in ("identity", "ablation")}
        diagnostics = {"identity_diagnostics": tables.diagnostics(self.identity)}
        for name, table in {**vars(self), **compared, **diagnostics}.items():
            write_csv(table, results / f"{name}.csv")
        of_models = metrics(self.identity, self.fewshot)
        for old in (results / "metrics").glob("*.json"):
            if old.stem not in of_models:
                old.unlink()
        for model, own in of_models.items():
            write_text(results / "metrics" / f"{model}.json", json.dumps(own, indent=2) + "\n")


def tidy(rows: Rows) -> Tidy:
    """Return the tables of the rows."""
    name, settings = rows.facts.name, rows.facts.settings
    identity = tables.identity_table(rows.identity, name, rows.models, rows.quality)
    families, outside = fewshot.families(rows.fewshot, settings.fewshot), tables.elsewhere(identity)
    of_identity = differences.identity_families(rows.identity)
    return Tidy(
        identity,
        views_table(rows.identity, settings.data.views, name, outside),
        differences.differences_table(of_identity, differences.IDENTITY_KEYS, name, elsewhere=outside),
        exhibits.ablation_table(identity),
        fewshot.fewshot_table(rows.fewshot, settings.fewshot, name),
        differences.differences_table(families, fewshot.FAMILY, name, first=[fewshot.START]),
        in_order(rows.models.rename(columns={"map": "connection_size"}), "model"),
        internals_table(rows.diagnostics, name),
    )


def internals_table(diagnostics: pd.DataFrame, profile: str) -> pd.DataFrame:
    """Return what the generators say of how they work: one row for each model, means over its training seeds.

    Columns profile, model, n_seeds, and one for each number that some model has.
    """
    if diagnostics.empty:
        return pd.DataFrame(columns=["profile", "model", "n_seeds"])
    table = diagnostics.groupby("model")["seed"].nunique().rename("n_seeds").to_frame()
    table = table.join(diagnostics.pivot_table(index="model", columns="name", values="value")).reset_index()
    table.insert(0, "profile", profile)
    return in_order(table, "model")


def metrics(identity: pd.DataFrame, recognised: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the main rates of both measurements as model -> measurement -> rate, the form `dvc metrics` shows.

    A measurement is nc<N> or grouped_nc<N>, or <N>way_<s>shot; a rate that is no number is left out.
    """
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for row in identity.to_dict("records"):
        values = {rate: round(float(row[rate]), DIGITS) for rate in RATES if not pd.isna(row[rate])}
        measurement = f"nc{row['nc']}" if row["split"] == "random" else f"{row['split']}_nc{row['nc']}"
        nested.setdefault(row["model"], {})[measurement] = values
    for row in recognised.to_dict("records"):
        accuracy = {ACCURACY: round(row[ACCURACY], DIGITS)}
        nested.setdefault(row["model"], {})[f"{row['way']}way_{row['shot']}shot"] = accuracy
    return nested


def views_table(
    measured: Iterable[Measured], views: Sequence[str], profile: str, elsewhere: Sequence[str] = ()
) -> pd.DataFrame:
    """Return from which view to which view a model can turn: joint, top1 and view.

    There is one row for each (model, split, nc, view of the input, target view). The rates are means, without
    intervals, over the outputs of all training seeds and draws, which `n` counts.

    Args:
        measured: the measurements.
        views: names of the views by their numbers, which give the order of the rows.
        profile: name of the run.
        elsewhere: rows that stand after the models, see `tables.elsewhere`.
    """
    parts = []
    for each in measured:
        found = rates(each.outcomes, each.nc)[list(OF_TARGETS)]
        groups = found.groupby([each.outcomes["source"], each.outcomes["target"]])
        means = groups.mean().assign(n=groups.size()).reset_index()
        parts.append(means.assign(profile=profile, model=each.model, split=each.split, nc=each.nc))
    table = in_order(pd.concat(parts, ignore_index=True), *VIEW_KEYS, elsewhere=elsewhere)
    names = dict(enumerate(views))
    return table.assign(**{end: table[end].map(names) for end in ("source", "target")})[[*VIEW_KEYS, *OF_TARGETS, "n"]]
