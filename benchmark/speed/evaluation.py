"""Where the time of the identity measurement goes."""

from functools import partial

import numpy as np
import torch

from benchmark.data.images import ImageStore
from benchmark.evaluation import turners
from benchmark.evaluation.copying import pixel_distances
from benchmark.evaluation.draws import SPLITS, draw
from benchmark.evaluation.extractor import FEATURES, network, pooled_features
from benchmark.evaluation.identity import outcomes
from benchmark.evaluation.outputs import Outputs, pairs
from benchmark.seeding import generator
from benchmark.speed import material
from benchmark.speed.rows import Row, Section
from benchmark.speed.stopwatch import Action, Stopwatch
from benchmark.workspace import Run
from models.registry import REFERENCE

GENERATION, FEATURING, COPIES, KNN = "generation", "features and views", "comparison with inputs", "KNN and draws"


def measure(run: Run) -> Section:
    """Measure the parts on one batch and one draw each, and multiply by how often a model's measurement does them."""
    settings, device = run.settings, material.opened(run).device
    with material.made(run) as store:
        position, _ = pairs(store.manifest, len(settings.data.views), own_view_only=False)
        batch = store.subset("standard")[: settings.evaluation.batch_size]
        seconds = Stopwatch(device).best(_of_images(run, store, batch, device))
        totals = {name: taken * len(position) / len(batch) for name, taken in seconds.items()}
        draws = Stopwatch(device).best(_of_draws(run, store))
    totals[KNN] = sum(draws.values()) * settings.evaluation.draws
    rows = [Row(name, {"seconds": part, "share": part / sum(totals.values())}) for name, part in totals.items()]
    title = f"one model, {len(position):,} images at {settings.data.image_size} px"
    note = (
        f"One batch of {len(batch)} images and one draw of each N_c and split are measured (the best of several "
        "rounds) and multiplied by their number."
    )
    return Section("evaluation", title, rows, [note])


def _of_images(
    run: Run, store: ImageStore, batch: np.ndarray[tuple[int], np.dtype[np.int64]], device: torch.device
) -> dict[str, Action]:
    model = material.ready(run, REFERENCE, store, material.opened(run))
    views = len(run.settings.data.views)
    turn, compared = turners.trained(model, store, views, device), pixel_distances(store)
    resnets = [network(2, run.settings.extractor.stem).to(device).eval() for _ in range(2)]
    images = turn(batch, 0)

    @torch.no_grad()
    def describe() -> None:
        pooled_features(resnets[0], images)
        resnets[1](images)

    return {
        GENERATION: partial(turn, batch, 0),
        FEATURING: describe,
        COPIES: partial(compared, images, batch, 0),
    }


def _of_draws(run: Run, store: ImageStore) -> dict[str, Action]:
    """Return the outcomes of one draw of every N_c and split."""
    real, generated = (_outputs(run, store, own_view_only) for own_view_only in (True, False))
    evaluation, manifest = run.settings.evaluation, store.manifest

    def drawn(nc: int, split: str) -> None:
        one = draw(manifest, run.settings.data.dataset, nc, 0, evaluation.test_share, split)
        outcomes([one], manifest, real, generated, evaluation.neighbours)

    return {f"{nc} {split}": partial(drawn, nc, split) for nc in evaluation.nc for split in SPLITS}


def _outputs(run: Run, store: ImageStore, own_view_only: bool) -> Outputs:
    """Return made-up outputs of every standard image."""
    position, target = pairs(store.manifest, len(run.settings.data.views), own_view_only)
    random = generator("speed", int(own_view_only))
    features = random.standard_normal((len(position), FEATURES), np.float32)
    to_input, to_target = random.random((2, len(position)), np.float32)
    return Outputs(position, target, features, target, to_input, to_target)
