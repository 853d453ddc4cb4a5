"""Do the tables of results say what their stored rows give by the code at hand?

Old and new rates are taken from stored rows by one code, so a change of it moves both alike. What it gave when the
results were made stands in their tables.
"""

from collections.abc import Iterator

import pandas as pd

from benchmark.regression.recorded import Results
from benchmark.results.rows import DIGITS

LAST_DIGIT = 1.5 * 10**-DIGITS  # of a table, which rounding may turn


def contradictions(side: str, rows: Results, tables: Results) -> Iterator[str]:
    """Yield a sentence if rates in the tables are not those of the stored rows, or one has rates that the other lacks.

    Args:
        side: `old` or `new`.
        rows: what the stored rows give.
        tables: what the tables say; what is of identity or few-shot is compared if both have that.
    """
    kinds = {key.kind for key in rows} & {key.kind for key in tables}
    if not kinds:
        return
    found = pd.DataFrame({"rows": _means(rows, kinds), "tables": _means(tables, kinds)})
    same = ((found["rows"] - found["tables"]).abs() <= LAST_DIGIT) | found.isna().all(axis=1)
    for name, first in found[~same].head(1).iterrows():
        values = f"{100 * first['tables']:.4f} % in the table, {100 * first['rows']:.4f} % from the rows"
        yield f"{side}: {(~same).sum()} of {len(found)} rates, such as {', '.join(map(str, name))}: {values}"


def _means(results: Results, kinds: set[str]) -> pd.Series:
    """Return the mean of each rate, by measurement, model and rate."""
    of_kinds = {(key.measurement, key.model): each.means for key, each in results.items() if key.kind in kinds}
    means: pd.Series = pd.concat(of_kinds)
    return means
