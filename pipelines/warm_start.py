"""Stage warm_start: train the discriminators that models start from, where the profile asks for it."""

from benchmark.execution.stages import make_warm_starts
from pipelines.stage import start

if __name__ == "__main__":
    start(make_warm_starts)
