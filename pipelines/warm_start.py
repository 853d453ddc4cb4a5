"""Stage warm_start: train the networks that models start from on real images."""

from benchmark.execution.stages import make_warm_starts
from pipelines.stage import start

if __name__ == "__main__":
    start(make_warm_starts)
