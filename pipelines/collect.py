"""Stage collect: gather every finished measurement into the rows that results are made from."""

from benchmark.stages.collect import collect
from pipelines.stage import start

if __name__ == "__main__":
    start(collect)
