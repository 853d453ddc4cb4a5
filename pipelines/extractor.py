"""Stage extractor: train the ResNet18 for identities and the one for views."""

from benchmark.stages.extractor import train_extractors
from pipelines.stage import start

if __name__ == "__main__":
    start(train_extractors)
