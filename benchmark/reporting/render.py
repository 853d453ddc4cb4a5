"""Everything in the results that is made from the stored rows."""

from pathlib import Path

from benchmark.files import write_text
from benchmark.reporting import ablation, differences, fewshot, sheets, tables
from benchmark.reporting.rows import Rows
from benchmark.reporting.sheets import Sheet
from benchmark.reporting.tidy import Tidy, tidy


def render(rows: Rows, results: Path) -> None:
    """Write tables, figures and the report page; the same rows give the same bytes."""
    made = tidy(rows)
    made.write(results)
    for name, sheet in _sheets(rows, made).items():
        write_text(results / f"{name}.md", sheets.markdown(sheet))
        write_text(results / f"{name}.tex", sheets.latex(sheet))


def _sheets(rows: Rows, made: Tidy) -> dict[str, Sheet]:
    """Return the tables for reading by the names of their files."""
    settings = rows.facts.settings.fewshot
    identity_keys, fewshot_keys = differences.IDENTITY_KEYS, fewshot.FAMILY
    return {
        "identity": tables.identity_sheet(made.identity),
        "targets": tables.targets_sheet(made.identity),
        "ablation": ablation.sheet(made.ablation),
        "differences": differences.sheet(made.differences, identity_keys, "identity"),
        "fewshot": fewshot.fewshot_sheet(made.fewshot, settings),
        "fewshot_differences": differences.sheet(made.fewshot_differences, fewshot_keys, "few-shot recognition"),
    }
