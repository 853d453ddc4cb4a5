"""The paper's setting for faces in small: 96 px, nine views, 4 : 1, lambda 1, and a window of radius 6 at 24x24."""

from typing import NamedTuple, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark import seeding
from benchmark.environment import open_fabric
from benchmark.evaluation.generate import generate_views
from benchmark.training.loop import Files, Schedule, train
from models.interface import ViewModel
from models.layers.connection import NonalignmentConnection
from models.registry import find
from tests.tools import RandomBatches, arguments, spec

FACES = spec(
    image_size=96, views=9, width=0.0625, batch_size=2, generator_steps=4, attribute_weight=1.0, refresh_batches=1
)
CYCLES = 2


class Trained(NamedTuple):
    """The full model after two cycles of the training loop, its generator's weights before, and what was used."""

    model: ViewModel
    before: dict[str, Tensor]
    batches: RandomBatches
    images: int


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    seeding.seed_global("weights", "ours")
    model, batches = find("ours").load()(FACES), RandomBatches(FACES)
    before = {name: value.clone() for name, value in model.generator.state_dict().items()}
    schedule = Schedule(CYCLES * 4 * FACES.batch_size, 1, 60.0, ("96 px", 0))
    done = train(model, batches, open_fabric("cpu"), schedule, Files(tmp_path_factory.mktemp("faces")), "ours")
    assert done.cycle == CYCLES
    return Trained(model.eval(), before, batches, done.images)


def test_four_generator_steps_for_each_of_the_discriminator(trained: Trained) -> None:
    model, before, batches, images = trained
    assert images == CYCLES * 4 * FACES.batch_size
    assert batches.drawn == CYCLES * (1 + 4) + FACES.refresh_batches
    assert model.view_weight == 1.0
    after = model.generator.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    connections = [name for name in after if ".connection." in name and name.endswith("weight")]
    assert len(connections) == 3
    assert not any(torch.equal(before[name], after[name]) for name in connections)


def test_images_of_all_nine_views(trained: Trained) -> None:
    turned = generate_views(trained.model, arguments(FACES, 2)[0], np.arange(2))
    assert [tuple(view.shape) for view in turned] == [(2, 3, 96, 96)] * 9
    stacked = torch.stack(turned)
    assert stacked.isfinite().all()
    assert stacked.abs().max() <= 1
    assert not torch.equal(stacked[0], stacked[8])


def test_the_window_at_the_border_by_a_plain_loop(trained: Trained) -> None:
    (connection,) = (part for part in trained.model.modules() if isinstance(part, NonalignmentConnection))
    row, column = 0, 2
    random = torch.Generator().manual_seed(0)
    channels = connection.key.in_channels, connection.query.in_channels
    encoded, decoded = (torch.randn(1, count, 24, 24, generator=random) for count in channels)
    with torch.no_grad():
        query, key, value = connection.query(decoded), connection.key(encoded), connection.value(encoded)
        z = connection(encoded, decoded)[0, channels[1] :, row, column]
    logits, values = [], []
    for i in range(24):
        for j in range(24):
            if abs(i - row) <= 6 and abs(j - column) <= 6:
                logits.append(cast("Tensor", (query[0, :, row, column] * key[0, :, i, j]).sum()))
                values.append(value[0, :, i, j])
    assert len(values) == 7 * 9  # of 13 * 13; the rest lies outside of the map
    expected = (torch.stack(logits).softmax(0)[:, None] * torch.stack(values)).sum(0)
    torch.testing.assert_close(z, expected, rtol=1e-4, atol=1e-5)
