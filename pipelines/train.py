"""Stage train: train one model, named by `--model`, with every seed of the profile, if that has the model."""

from functools import partial

from benchmark.workspace import Run
from pipelines.stage import argument, start


def train_all_seeds(run: Run) -> None:
    """Train the model with the seeds 0 .. n - 1; one that the profile does not train gets an empty folder."""
    model = argument("model")
    (run.folder / "models" / model).mkdir(parents=True, exist_ok=True)
    if model not in run.settings.models:
        print(f"{model}: not trained in the profile {run.settings.name}")
        return
    from benchmark.stages.attempts import Attempts
    from benchmark.stages.train import train

    Attempts().each(partial(train, run), [(model, seed) for seed in range(run.settings.seeds)])


if __name__ == "__main__":
    start(train_all_seeds)
