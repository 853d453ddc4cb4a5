"""Tables, figures and the report from the stored rows: the stage report."""

from benchmark.reporting.render import render
from benchmark.results import rows
from benchmark.run.workspace import Run


def report(run: Run) -> None:
    """Write everything in the results of a run that is made from its rows, and print what speaks against it.

    Raises:
        BenchmarkError: there are no rows yet, or they are damaged.
    """
    for warning in render(rows.read(run.results), run.results):
        print(f"warning: {warning}")
