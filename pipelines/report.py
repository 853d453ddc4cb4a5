"""Stage report: write tables and figures to results/."""

from benchmark.stages.report import report
from pipelines.stage import start

if __name__ == "__main__":
    start(report)
