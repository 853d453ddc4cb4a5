"""The run from which the training runs start."""

import pytest

from benchmark.run.workspace import Run
from tests.learning.training_run import prepared


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Run:
    """The run from which every training run starts; one for all test processes."""
    own = tmp_path_factory.getbasetemp()
    return prepared((own if worker_id == "master" else own.parent) / "learning" / "prepared")
