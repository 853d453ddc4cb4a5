"""Stage prepare: render the cars if they are the data set, and write the manifest of all images."""

from benchmark.stages.data import prepare
from pipelines.stage import start

if __name__ == "__main__":
    start(prepare)
