"""Stage fewshot: measure how much what every model generates helps to recognise real images from a few."""

from benchmark.execution.stages import measure_fewshot
from pipelines.stage import start

if __name__ == "__main__":
    start(measure_fewshot)
