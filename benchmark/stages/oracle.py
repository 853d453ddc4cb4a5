"""The control `oracle`, which needs the renderer: no other row of a table imports this."""

from benchmark.data.images import ImageStore
from benchmark.evaluation import generate
from benchmark.evaluation.generate import Generate, Positions
from benchmark.evaluation.oracle import render_targets
from benchmark.settings import Data
from benchmark.stages.data import data_root


def oracle(settings: Data, store: ImageStore, positions: Positions) -> Generate:
    """Return the control for the images at growing `positions`, which are rendered now."""
    images, cars, root = store.manifest["image"].iloc[positions].tolist(), settings.rendered, data_root(settings)
    squares = settings.image_size, settings.margin
    pictures = render_targets(root, images, settings.views, *squares, seed=cars.seed, size=cars.size)
    return generate.oracle(pictures, positions)
