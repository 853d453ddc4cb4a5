"""Stage train: train one model, named by `--model`, with every seed of the profile, if that has the model."""

from functools import partial

from benchmark.execution.stages import train_model
from pipelines.stage import argument, start

if __name__ == "__main__":
    start(partial(train_model, model=argument("model")))
