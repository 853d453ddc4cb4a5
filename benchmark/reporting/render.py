"""Everything in the results that is made from the stored rows."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import pandas as pd

from benchmark.files import write_text
from benchmark.reporting import claims, differences, exhibits, fewshot, judges, sheets, tables
from benchmark.reporting.figures import draw_all
from benchmark.reporting.figures.canvas import Picture
from benchmark.reporting.gaps import fewshot_gaps, identity_gaps
from benchmark.reporting.learned import learned
from benchmark.reporting.page import Chapter, covering, page
from benchmark.reporting.sheets import Grid, Sheet, headed
from benchmark.reporting.tables import count
from benchmark.reporting.tidy import Tidy, tidy
from benchmark.results.rows import Rows, write_csv
from models.registry import REFERENCE

PAPER = "paper/"  # the exhibits of the paper
SAMPLES = "figures/samples_"
OTHERS = (
    "paper/figure_[45].*",
    "claims_parts.*",
    "targets.*",
    "figures/accuracy_over_nc.[cmt]*",
)  # of other data, or of an earlier version
COSTS = [
    "model",
    "connection size",
    "width",
    "generator",
    "discriminator",
    "MACs",
    "seconds",
    "memory, MB",
    "seeds",
    "device",
]
INSIDE = {
    "share_latent": "share, latent vector",
    "share_modulation": "share, modulation",
    "share_connection": "share, connection",
    "attention_entropy": "attention, entropy",
    "attention_distance": "attention, distance",
}
OF_INSIDE = (
    "Share: how much of the output hangs on what a path carries from the encoder to the decoder. One path is given "
    "what belongs to another input, and the mean change of the pixels is divided by that where all paths are; shares "
    "need not add up to 1. Entropy of CNC's or Global-NC's attention: 1 where all positions in sight weigh the same, 0 "
    "where one has all the weight. Distance from a position to the one with the largest weight, as a share of the "
    "map's side. Means over 64 images of identities kept from training, where there are some, and over seeds."
)
OF_COSTS = (
    "Generator and discriminator: trainable parameters; MACs: multiply-accumulates of one generated image. Seconds and "
    "peak memory are those of one training run, the median over its seeds; they depend on the machine and its load, "
    "and no comparison uses them. On a processor the memory is that of the whole process."
)


def render(rows: Rows, results: Path) -> list[str]:
    """Write tables, figures and the report page; the same rows give the same bytes.

    Returns:
        Warnings, a sentence each, that also stand at the top of the report and under the tables.
    """
    rows = replace(rows, facts=covering(rows.facts, rows.identity))
    facts, settings, made = rows.facts, rows.facts.settings, tidy(rows)
    identity, recognition = identity_gaps(rows), fewshot_gaps(rows)
    made.write(results)
    estimated = [facts.estimated] * bool(facts.estimated)
    doubts = [*fewshot.doubts(made.fewshot), *estimated]

    of_identity, of_fewshot = differences.IDENTITY_KEYS, fewshot.FAMILY
    own = {  # sheets by the names of their files
        "identity": tables.identity_sheet(made.identity, identity),
        "identity_diagnostics": tables.diagnostics_sheet(made.identity, identity),
        "ablation": exhibits.ablation_sheet(made.ablation, identity),
        "differences": differences.sheet(made.differences, of_identity, "identity", identity),
        "fewshot": fewshot.fewshot_sheet(made.fewshot, settings.fewshot, recognition),
        "fewshot_differences": differences.sheet(
            made.fewshot_differences, of_fewshot, "few-shot recognition", recognition
        ),
    }
    unlearned, said_of_models = learned(facts, settings.models)
    warnings = [*unlearned, *judges.warnings(facts.judges, made.identity)]
    stated = [judges.stated(facts.judges)] if facts.judges else []
    trust = [*warnings, *said_of_models, *stated, *estimated]

    def named(sheet: Sheet) -> Sheet:
        return headed(sheet, facts.name, facts.label)

    for name in ("identity", "identity_diagnostics"):
        own[name] = replace(own[name], notes=[*trust, *own[name].notes])
    own["fewshot_differences"] = replace(own["fewshot_differences"], notes=[*own["fewshot_differences"].notes, *doubts])
    if settings.data.own and set(made.ablation["model"]) <= {REFERENCE}:
        del own["ablation"]
    figure, drawn = exhibits.curves_table(made.identity, settings.data)
    curves = exhibits.curves_sheet(drawn, facts, identity, tables.elsewhere(made.identity))
    tidied, compared = ({}, {}) if settings.data.own else beside_paper(rows, made, {figure: curves}, doubts)
    tidied[figure] = drawn
    own |= {figure: curves} if settings.data.own else {}
    of_others = ("claims.*", "ablation.[mt]*", "paper/*") if settings.data.own else ()
    for old in chain.from_iterable(map(results.glob, (*OTHERS, *of_others))):
        if old.is_file() and old.relative_to(results).with_suffix("").as_posix() not in {*tidied, *own}:
            old.unlink()
    for name, table in tidied.items():
        write_csv(table, results / f"{name}.csv")
    own = {name: named(sheet) for name, sheet in own.items()}
    for name, sheet in {**compared, **own}.items():
        write_text(results / f"{name}.md", sheets.markdown(sheet))
        write_text(results / f"{name}.tex", sheets.latex(sheet))
    inside = [named(internals_sheet(made.internals, facts.name))] if len(made.internals) else []
    pictures = draw_all(rows, made, results, {name: exhibits.values(name) for name in ("table_1", "table_2")})
    paper = [each for each in pictures if each.path.startswith(PAPER)]
    samples = [each for each in pictures if each.path.startswith(SAMPLES)]
    beside: list[Sheet | Picture] = [*([compared["claims"]] if compared else [])]
    for picture in paper:  # each before its table
        beside += [picture, *([compared[picture.path]] if picture.path in compared else [])]
    beside += [sheet for sheet in compared.values() if sheet not in beside]
    chapters = [
        Chapter("Tables", [*own.values(), *inside, named(costs_sheet(made.models, rows.costs, facts.name))]),
        Chapter("Figures", [each for each in pictures if each not in paper and each not in samples]),
        Chapter("The paper's exhibits", beside),
        Chapter("Samples", samples),
    ]
    headline = named(tables.headline(made.identity, identity))
    headline = replace(headline, notes=[*said_of_models, *stated, *estimated, *headline.notes])
    write_text(results / "report.html", page(facts, headline, chapters, results, warnings))
    return warnings


def beside_paper(
    rows: Rows, made: Tidy, curves: dict[str, Sheet], doubts: list[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, Sheet]]:
    """Return tables and sheets of the claims and the paper's exhibits, by the names of their files.

    Args:
        rows: the stored rows.
        made: their tables.
        curves: the sheet of the figure over the number of classes.
        doubts: of few-shot recognition.
    """
    facts, identity, recognition = rows.facts, identity_gaps(rows), fewshot_gaps(rows)
    said = claims.claims_table(rows)
    table_1, table_2 = exhibits.table_1(made.fewshot, facts), exhibits.table_2(made.identity, facts)
    compared = {
        "claims": claims.claims_sheet(said, facts, {"identity": identity, "fewshot": recognition}),
        **curves,
        "paper/table_1": exhibits.sheet_1(table_1, facts, recognition),
        "paper/table_2": exhibits.sheet_2(table_2, facts, identity),
    }
    for name in ("claims", "paper/table_1"):
        compared[name] = replace(compared[name], notes=[*compared[name].notes, *doubts])
    return {"claims": said, "paper/table_1": table_1, "paper/table_2": table_2}, compared


def internals_sheet(internals: pd.DataFrame, run: str) -> Sheet:
    """Return how the generators work, for reading; `internals` are rows of `tidy.internals_table`."""
    names = {name: head for name, head in INSIDE.items() if name in internals}
    lines = [
        [row["model"], *("-" if pd.isna(row[name]) else f"{row[name]:.3f}" for name in names), row["n_seeds"]]
        for row in internals.to_dict("records")
    ]
    return Sheet(
        f"Inside the generators, profile {run}", [Grid(["model", *names.values(), "seeds"], lines)], [OF_INSIDE]
    )


def costs_sheet(models: pd.DataFrame, costs: pd.DataFrame, run: str) -> Sheet:
    """Return sizes, operations, seconds and memory of each model, for reading.

    Args:
        models: rows of `models.models_table`.
        costs: those of the stored rows.
        run: name of the run.
    """
    lines = []
    for model in models.to_dict("records"):
        own = costs[costs["model"] == model["model"]]
        sizes = [count(model[name]) for name in ("generator_parameters", "discriminator_parameters", "macs")]
        width = "-" if pd.isna(model["width"]) else f"{model['width']:.3g}"
        spent = (own["seconds"], own["peak_memory"] / 2**20)
        medians = [f"{values.median():.0f}" if values.notna().any() else "-" for values in spent]
        devices = ", ".join(sorted(own["device"].dropna().unique())) or "-"
        lines.append([model["model"], model["connection_size"], width, *sizes, *medians, len(own), devices])
    return Sheet(f"Costs, profile {run}", [Grid(COSTS, lines)], [OF_COSTS])
