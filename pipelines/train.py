"""Stage train: train one model, named by the second argument, with every seed of the profile, if that has the model."""

import sys

from benchmark.stages.train import train
from benchmark.workspace import Run
from pipelines.stage import start


def train_all_seeds(run: Run) -> None:
    """Train the model with the seeds 0 .. n - 1; one that the profile does not train gets an empty folder."""
    model = sys.argv[2]
    (run.folder / "models" / model).mkdir(parents=True, exist_ok=True)
    for seed in range(run.settings.seeds if model in run.settings.models else 0):
        train(run, model, seed)


if __name__ == "__main__":
    start(train_all_seeds)
