"""Stage train: train one model, named by the second argument, with every seed of the profile."""

import sys

from benchmark.stages.train import train
from benchmark.workspace import Run
from pipelines.stage import start


def train_all_seeds(run: Run) -> None:
    """Train the model with the seeds 0 .. n - 1."""
    for seed in range(run.settings.seeds):
        train(run, sys.argv[2], seed)


if __name__ == "__main__":
    start(train_all_seeds)
