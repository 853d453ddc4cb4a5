"""The number of threads comes from the settings, whatever the environment says and whenever torch is imported."""

import os
import subprocess
import sys

import pytest

from tests.tools import PROJECT

SAID = "import torch, os; from threadpoolctl import threadpool_info\n"
TOLD = (
    "print(torch.get_num_threads(), {pool['num_threads'] for pool in threadpool_info()}, os.environ['OMP_NUM_THREADS'])"
)


@pytest.mark.parametrize("order", ["{use}{said}", "{said}{use}"])
@pytest.mark.parametrize(("count", "told"), [(1, "1 {1} 1"), (3, "3 {3} 3"), (None, "2 {2} 2")])
def test_the_settings_decide(order: str, count: int | None, told: str) -> None:
    use = f"from benchmark.environment import use_threads; use_threads({count})\n"
    script = order.format(use=use, said=SAID) + TOLD
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert ended.stdout.strip() == told
