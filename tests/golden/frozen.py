"""The contents of `frozen/`."""

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from benchmark.data.image_store import ImageStore
from benchmark.evaluation.outputs import Networks
from benchmark.training import checkpoint
from models.interface import ModelSpec
from models.ours import Ours
from tests.golden.networks import VIEWS, identity_network, view_network

FOLDER = Path(__file__).with_name("frozen")
SIZE = 16  # pixels
SPEC = ModelSpec(SIZE, VIEWS, identities=2, width=1 / 16)


def store() -> ImageStore:
    """Return the stored images: a standard set and nothing else."""
    return ImageStore.open(FOLDER)


def generator() -> Ours:
    """Return the frozen generator."""
    model = Ours(SPEC)
    checkpoint.load_weights(model, FOLDER / "generator.safetensors")
    return model.eval()


def networks() -> Networks:
    """Return the frozen networks."""
    return Networks(_loaded(identity_network(), "identity"), _loaded(view_network(), "view"))


def _loaded(network: nn.Module, name: str) -> nn.Module:
    network.load_state_dict(load_file(FOLDER / f"{name}.safetensors"))
    return network.eval()


def save(network: nn.Module, folder: Path, name: str) -> None:
    """Write weights in half precision, without those of a discriminator; loading turns them back to single."""
    weights = {key: value for key, value in network.state_dict().items() if not key.startswith("discriminator.")}
    halves = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
    save_file(halves, folder / f"{name}.safetensors")
