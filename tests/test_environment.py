"""The number of threads comes from the settings, whatever the environment says and whenever torch is imported."""

import os
import subprocess
import sys

import pytest

from tests.tools import PROJECT

CORES = os.cpu_count() or 1
IMPORT = "import torch; from threadpoolctl import threadpool_info\n"
TELL = "print(torch.get_num_threads(), *{pool['num_threads'] for pool in threadpool_info()})"


@pytest.mark.parametrize("order", ["{use}{imported}", "{imported}{use}"])
@pytest.mark.parametrize(("asked", "count", "threads"), [(2, 1, 1), (1, 2, 2), (1, None, 1), (1, 1000, CORES)])
def test_the_settings_decide(order: str, asked: int, count: int | None, threads: int) -> None:
    if threads > CORES:
        pytest.skip("too few cores")
    use = f"from benchmark.environment import use_threads; use_threads({count})\n"
    script = order.format(use=use, imported=IMPORT) + TELL
    variables = {"OMP_NUM_THREADS": str(asked), "OPENBLAS_NUM_THREADS": str(asked), "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    assert ended.stdout.split() == [str(threads)] * 2
