"""What every registered model owes the harness; the models come from the registry, so none can be left out."""

import math
from functools import cache
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from benchmark.training.checkpoint import load_weights, save_weights
from models.interface import CycleReport, ViewModel
from models.ours import Ours
from models.registry import entries
from tests.tools import RandomBatches, arguments, spec

MODELS = sorted(entries())
CYCLES = 6

pytestmark = pytest.mark.parametrize("name", MODELS)


class Trained:
    """A model after a whole, very short training, with what was seen on the way."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        self.spec = spec()
        self.model: ViewModel = entries()[name].load()(self.spec)
        self.trainable = {key for key, parameter in self.model.named_parameters() if parameter.requires_grad}
        self.model.train()
        fabric = Fabric(accelerator="cpu", devices=1)
        self.model.setup(fabric)
        batches = RandomBatches(self.spec)
        self.reports: list[CycleReport] = []
        self.drawn: list[int] = []
        self.moved: set[str] = set()
        for cycle in range(CYCLES):
            before = batches.drawn
            self.reports.append(self.model.cycle(batches, fabric, cycle / CYCLES))
            self.drawn.append(batches.drawn - before)
            gradients = {key: parameter.grad for key, parameter in self.model.named_parameters()}
            self.moved |= {key for key, grad in gradients.items() if grad is not None and bool(grad.any())}
        self.model.finish(batches)
        self.model.eval()


@cache
@torch.enable_grad()
def trained(name: str) -> Trained:
    return Trained(name)


def test_shape_and_range(name: str) -> None:
    with torch.no_grad():
        image = trained(name).model.generate(*arguments(spec(), count=3))
    assert image.shape == (3, 3, 32, 32)
    assert image.dtype == torch.float32
    assert image.abs().max() <= 1


def test_the_arguments_alone_decide(name: str) -> None:
    model = trained(name).model
    with torch.no_grad():
        torch.manual_seed(1)
        first = model.generate(*arguments(spec()))
        torch.manual_seed(2)
        assert torch.equal(first, model.generate(*arguments(spec())))


def test_the_input_image_matters(name: str) -> None:
    image, code, noise = arguments(spec())
    with torch.no_grad():
        first, second = (trained(name).model.generate(x, code, noise) for x in (image, -image))
    assert not torch.equal(first, second)


def test_alone_and_in_a_batch(name: str) -> None:
    model, batch = trained(name).model, arguments(spec(), count=5)
    with torch.no_grad():
        together = model.generate(*batch)
        alone = torch.cat([model.generate(*(part[n : n + 1] for part in batch)) for n in range(5)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_interpolated_codes(name: str) -> None:
    image, _, noise = arguments(spec(), count=3)
    codes = torch.tensor([[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0.3, 0.7], [0.2] * 5])
    with torch.no_grad():
        turned = trained(name).model.generate(image, codes, noise)
    assert turned.isfinite().all()
    assert turned.abs().max() <= 1


def test_every_parameter_gets_a_gradient(name: str) -> None:
    found = trained(name)
    assert not found.trainable - found.moved


def test_losses_are_finite(name: str) -> None:
    for report in trained(name).reports:
        assert report.losses
        for loss in report.losses.values():
            assert loss.numel() == 1
            assert not loss.requires_grad
            assert math.isfinite(loss.item())


def test_images_are_counted(name: str) -> None:
    found = trained(name)
    for report, drawn in zip(found.reports, found.drawn, strict=True):
        assert 0 < report.images <= drawn * found.spec.batch_size
        assert report.images % found.spec.batch_size == 0


def test_generator_steps_are_counted(name: str, fabric: Fabric) -> None:
    if not issubclass(entries()[name].load(), Ours):
        pytest.skip("its schedule has no generator_steps")
    of = spec(generator_steps=3)
    model = entries()[name].load()(of)
    model.setup(fabric)
    batches = RandomBatches(of)
    assert model.cycle(batches, fabric, 0.0).images == 3 * of.batch_size
    assert batches.drawn == 1 + 3


def test_weights_are_the_whole_generator(name: str, tmp_path: Path) -> None:
    found = trained(name)
    save_weights(found.model, tmp_path / "weights.safetensors")
    torch.manual_seed(99)
    fresh = entries()[name].load()(found.spec).eval()
    load_weights(fresh, tmp_path / "weights.safetensors")
    with torch.no_grad():
        outputs = [model.generate(*arguments(found.spec)) for model in (found.model, fresh)]
    assert torch.equal(*outputs)


def test_critics_exist_and_are_not_kept(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    model = trained(name).model
    save_weights(model, tmp_path / "weights.safetensors")
    kept = {key.partition(".")[0] for key in load_file(tmp_path / "weights.safetensors")}
    for critic in model.critics:
        assert isinstance(getattr(model, critic), torch.nn.Module)
    assert not kept & set(model.critics)


def test_the_source_says_which_method_it_is(name: str) -> None:
    assert entries()[name].summary.endswith(".") or ";" in entries()[name].summary


def test_a_model_on_the_meta_device_knows_its_map(name: str) -> None:
    with torch.device("meta"):
        model = entries()[name].load()(spec())
    assert model.map == "-" or model.map.isdigit()
