"""Stage split: deal the identities to training, validation and evaluation."""

from benchmark.stages.data import split
from pipelines.stage import start

if __name__ == "__main__":
    start(split)
