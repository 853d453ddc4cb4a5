"""Stage report: write tables, figures and the report page from the stored rows."""

from benchmark.stages.report import report
from pipelines.stage import start

if __name__ == "__main__":
    start(report)
