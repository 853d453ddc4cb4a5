"""Everything in the results that is made from the stored rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.files import write_text
from benchmark.reporting import (
    ablation,
    claims,
    claims_sheet,
    costs,
    curves,
    differences,
    fewshot,
    published,
    sheets,
    tables,
)
from benchmark.reporting.figures import draw_all
from benchmark.reporting.gaps import fewshot_gaps, identity_gaps
from benchmark.reporting.headline import headline
from benchmark.reporting.page import Chapter, page
from benchmark.reporting.pictures import Picture
from benchmark.reporting.provenance import covering
from benchmark.reporting.sheets import Sheet
from benchmark.reporting.tidy import Tidy, tidy
from benchmark.results.rows import Rows, write_csv

PAPER = "paper/"  # the exhibits of the paper
SAMPLES = "figures/samples_"


def render(rows: Rows, results: Path) -> None:
    """Write tables, figures and the report page; the same rows give the same bytes."""
    rows = replace(rows, facts=covering(rows.facts, rows.identity))
    made = tidy(rows)
    made.write(results)
    exhibits, others = _exhibits(rows, made, results), _others(rows, made)
    for name, sheet in {**exhibits, **others}.items():
        write_text(results / f"{name}.md", sheets.markdown(sheet))
        write_text(results / f"{name}.tex", sheets.latex(sheet))
    printed = {name: published.values(name) for name in ("table_1", "table_2")}
    pictures = draw_all(rows, made, results, printed)
    chapters = _chapters(exhibits, [*others.values(), costs.sheet(made.models, rows.costs, rows.facts.name)], pictures)
    first = headline(made.identity, identity_gaps(rows))
    write_text(results / "report.html", page(rows.facts, first, chapters, results))


def _exhibits(rows: Rows, made: Tidy, results: Path) -> dict[str, Sheet]:
    """Write the tidy tables of what is compared with the paper; return the sheets by the names of their files."""
    facts, said = rows.facts, claims.claims_table(rows)
    table_1, table_2 = published.table_1(made.fewshot, facts), published.table_2(made.identity, facts)
    figure, drawn = curves.exhibit(made.identity, facts.settings.data.dataset)
    for old in results.glob("paper/figure_[45].*"):  # of an earlier run on other data
        if old.stem != Path(figure).name:
            old.unlink()
    for name, table in {"claims": said, figure: drawn, "paper/table_1": table_1, "paper/table_2": table_2}.items():
        write_csv(table, results / f"{name}.csv")
    missing = {"identity": identity_gaps(rows), "fewshot": fewshot_gaps(rows)}
    return {
        "claims": claims_sheet.sheet(said, facts, missing),
        figure: curves.sheet(drawn, identity_gaps(rows)),
        "paper/table_1": published.sheet_1(table_1, facts, fewshot_gaps(rows)),
        "paper/table_2": published.sheet_2(table_2, facts, identity_gaps(rows)),
    }


def _others(rows: Rows, made: Tidy) -> dict[str, Sheet]:
    """Return the other tables for reading by the names of their files."""
    settings, identity, recognition = rows.facts.settings.fewshot, identity_gaps(rows), fewshot_gaps(rows)
    keys, family = differences.IDENTITY_KEYS, fewshot.FAMILY
    return {
        "identity": tables.identity_sheet(made.identity, identity),
        "identity_diagnostics": tables.diagnostics_sheet(made.identity, identity),
        "ablation": ablation.sheet(made.ablation, identity),
        "differences": differences.sheet(made.differences, keys, "identity", identity),
        "fewshot": fewshot.fewshot_sheet(made.fewshot, settings, recognition),
        "fewshot_differences": differences.sheet(made.fewshot_differences, family, "few-shot recognition", recognition),
    }


def _chapters(exhibits: Mapping[str, Sheet], others: Sequence[Sheet], pictures: Sequence[Picture]) -> list[Chapter]:
    """Return the report in its order: the run's own tables and figures, then what is compared with the paper."""
    paper = [each for each in pictures if each.path.startswith(PAPER)]
    samples = [each for each in pictures if each.path.startswith(SAMPLES)]
    shown: list[Sheet | Picture] = [exhibits["claims"]]
    for picture in paper:
        shown += [picture, *([exhibits[picture.path]] if picture.path in exhibits else [])]
    shown += [sheet for path, sheet in exhibits.items() if sheet not in shown]
    further = [each for each in pictures if each not in paper and each not in samples]
    return [
        Chapter("Tables", others),
        Chapter("Figures", further),
        Chapter("The paper's exhibits", shown),
        Chapter("Samples", samples),
    ]
