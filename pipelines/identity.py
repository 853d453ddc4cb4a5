"""Stage identity: measure identity and view of what every model generates, over the N_c sweep."""

from benchmark.execution.stages import measure_identity
from pipelines.stage import start

if __name__ == "__main__":
    start(measure_identity)
