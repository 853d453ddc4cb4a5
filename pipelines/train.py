"""Stage train: train one model, named by `--model`, with every seed of the profile, if that has the model."""

from benchmark.workspace import Run
from pipelines.stage import argument, start


def train_all_seeds(run: Run) -> None:
    """Train the model with the seeds 0 .. n - 1; one that the profile does not train gets an empty folder."""
    model = argument("model")
    (run.folder / "models" / model).mkdir(parents=True, exist_ok=True)
    if model not in run.settings.models:
        print(f"{model}: not trained in the profile {run.settings.name}")
        return
    from benchmark.stages.train import train

    for seed in range(run.settings.seeds):
        train(run, model, seed)


if __name__ == "__main__":
    start(train_all_seeds)
