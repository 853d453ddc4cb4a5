"""Measurements with the frozen generator and networks on the stored images, as counts of images."""

from collections.abc import Iterator
from unittest.mock import patch

import torch

from benchmark.data.image_store import ImageStore
from benchmark.evaluation import augmentation, classifier, draws, episodes, fewshot, generate, identity, outputs, resnet
from benchmark.evaluation.augmentation import Condition
from benchmark.evaluation.copying import pixel_distances
from benchmark.evaluation.generate import Generate
from benchmark.evaluation.outputs import Outputs
from benchmark.evaluation.statistics import Totals, means_and_intervals, totals
from benchmark.results.rates import all_rates
from tests.golden import frozen
from tests.golden.networks import VIEWS

Figures = dict[str, dict[str, str]]

CPU = torch.device("cpu")
DATASET = "golden"
NC, DRAWS, TEST_SHARE, NEIGHBOURS = 12, 3, 0.2, 5  # with more than ten classes top-5 is a number
WAYS, SHOTS, ADDED = 5, (2, 5), 5
RECIPE = classifier.Recipe(steps=20, batch_size=16, learning_rate=0.02, stem="small")


def identity_figures() -> Figures:
    """Return the figures of the real images and of what the frozen generator makes of them, for both splits."""
    store = frozen.store()
    real = _outputs(generate.copy(store), store, own_view_only=True)
    generated = _outputs(generate.trained(frozen.generator(), store), store, own_view_only=False)
    found = {}
    for split, nc in draws.measurable(store.manifest, [NC])[0]:
        drawn = [draws.draw(store.manifest, DATASET, nc, number, TEST_SHARE, split) for number in range(DRAWS)]
        for name, each in (("real", real), ("generated", generated)):
            outcomes = identity.outcomes(drawn, store.manifest, real, each, NEIGHBOURS).assign(seed=0)
            found[f"{name}, {split} split"] = _counted(totals(all_rates(outcomes, nc), outcomes))
    return found


def _outputs(function: Generate, store: ImageStore, own_view_only: bool) -> Outputs:
    position, target = outputs.pairs(store.manifest, VIEWS, own_view_only)
    return outputs.measure(function, position, target, frozen.networks(), pixel_distances(store), 256, CPU)


def _counted(added: Totals) -> dict[str, str]:
    """Return each rate that applies as `<right> of <images>` with its interval."""
    table = means_and_intervals(added).assign(right=added.sums.sum(), asked=added.counts.sum())
    return {
        str(rate): f"{row['right']:.0f} of {row['asked']:.0f} [{row['low']:.4f}, {row['high']:.4f}]"
        for rate, row in table[table["asked"] > 0].iterrows()
    }


def fewshot_figures() -> Figures:
    """Return the accuracy without and with images of the frozen generator.

    The classifier starts from the frozen identity network. A ResNet18 from scratch takes rounding so far that after 16
    steps a fifth of its answers depends on the number of threads; its first steps are among the golden losses.
    """
    store = frozen.store()
    with patch.object(resnet, "network", lambda classes, stem: frozen.networks().identity):
        return {name: dict(_accuracies(condition, store)) for name, condition in _conditions(store).items()}


def _conditions(store: ImageStore) -> dict[str, Condition]:
    added = augmentation.generated(frozen.generator(), store, ADDED)
    return {"no augmentation": Condition(), "generated": Condition(added)}


def _accuracies(condition: Condition, store: ImageStore) -> Iterator[tuple[str, str]]:
    episode = fewshot.Episode(episodes.draw(store.manifest, DATASET, WAYS, SHOTS, 0), SHOTS)
    for tested in fewshot.outcomes(episode, condition, store, RECIPE, CPU, 0, "golden"):
        yield f"{WAYS}-way {tested['shots'].iloc[0]}-shot", f"{tested['right'].sum()} of {len(tested)}"
