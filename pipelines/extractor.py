"""Stage extractor: train the ResNet18 for identities and the one for views."""

from benchmark.execution.stages import train_judges
from pipelines.stage import start

if __name__ == "__main__":
    start(train_judges)
