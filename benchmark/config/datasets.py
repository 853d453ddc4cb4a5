"""The data sets by name, each with the module that reads it; listing them imports none."""

READERS = {
    "rendered": "benchmark.data.rendered",
    "compcars": "benchmark.data.compcars",
    "multipie": "benchmark.data.multipie",
    "table": "benchmark.data.table",
}
COMPARED = ("rendered", "compcars", "multipie")  # those whose results stand beside the paper's
