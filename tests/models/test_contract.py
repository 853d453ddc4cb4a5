"""The contract of every registered model; the models come from the registry, so none can be left out."""

from functools import cache
from pathlib import Path

import pytest
from lightning_fabric import Fabric

from benchmark.conformance.suite import CHECKS, outcome
from benchmark.conformance.trial import Trial
from models.ours import Ours
from models.registry import entries
from tests.tools import RandomBatches, spec

MODELS = sorted(entries())

pytestmark = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the trials keep their files."""
    return tmp_path_factory.mktemp("trials")


@cache
def trial(name: str, folder: Path) -> Trial:
    """Return the trial of a model; all checks share its training."""
    (folder / name).mkdir()
    return Trial(entries()[name], folder / name)


@pytest.mark.parametrize("check", CHECKS)
def test_contract(name: str, check: str, folder: Path) -> None:
    found = outcome(CHECKS[check], trial(name, folder))
    assert found.state == "ok", found.sentence


def test_generator_steps_are_counted(name: str, fabric: Fabric) -> None:
    if not issubclass(entries()[name].load(), Ours):
        pytest.skip("its schedule has no generator_steps")
    of = spec(generator_steps=3)
    model = entries()[name].load()(of)
    model.setup(fabric)
    batches = RandomBatches(of)
    assert model.cycle(batches, fabric, 0.0).images == 3 * of.batch_size
    assert batches.drawn == 1 + 3
