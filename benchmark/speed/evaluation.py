"""Where the time of the identity measurement goes."""

from functools import partial
from statistics import median

import numpy as np
import torch

from benchmark.data.images import ImageStore
from benchmark.evaluation.copying import feature_distances, pixel_distances
from benchmark.evaluation.draws import SPLITS, draw
from benchmark.evaluation.extractor import FEATURES, network, pooled_features
from benchmark.evaluation.generate import Positions, trained
from benchmark.evaluation.identity import class_codes, draw_ranks
from benchmark.evaluation.outputs import Outputs, pairs
from benchmark.seeding import generator
from benchmark.speed import material
from benchmark.speed.rows import Row, Section
from benchmark.speed.stopwatch import Action, Stopwatch
from benchmark.workspace import Run
from models.registry import REFERENCE

ROUNDS = 3
GENERATION, FEATURING, COPIES, KNN = "generation", "features and views", "search for copies", "KNN"


def measure(run: Run) -> Section:
    """Measure the parts on one batch and one draw each, and multiply by how often a model's measurement does them."""
    settings, device = run.settings, material.opened(run).device
    with material.made(run) as store:
        position, _ = pairs(store.manifest, len(settings.data.views), own_view_only=False)
        batch = store.subset("standard")[: settings.evaluation.batch_size]
        watch = Stopwatch(device)
        times = watch.times(_of_images(run, store, batch, device), ROUNDS)
        totals = {name: median(taken) * len(position) / len(batch) for name, taken in times.items()}
        *draws, compared = map(median, watch.times(_of_features(run, store), ROUNDS).values())
    totals[KNN] = sum(draws) * settings.evaluation.draws
    totals[COPIES] += compared * len(draws)
    rows = [Row(name, {"seconds": part, "share": part / sum(totals.values())}) for name, part in totals.items()]
    title = f"one model, {len(position):,} images at {settings.data.image_size} px"
    note = (
        f"One batch of {len(batch)} images and one draw of each N_c and split are measured (medians over {ROUNDS} "
        "rounds) and multiplied by their number."
    )
    return Section("evaluation", title, rows, [note])


def _of_images(run: Run, store: ImageStore, batch: Positions, device: torch.device) -> dict[str, Action]:
    """Return what is done with every batch of images."""
    model = material.ready(run, REFERENCE, store, material.opened(run))
    function, compared = trained(model, store), pixel_distances(store)
    stem, kind = run.settings.extractor.stem, torch.channels_last
    resnets = [network(2, stem).to(device).to(memory_format=kind).eval() for _ in range(2)]
    images = function(batch, 0)

    @torch.no_grad()
    def describe() -> None:
        pooled_features(resnets[0], images)
        resnets[1](images)

    return {
        GENERATION: partial(function, batch, 0),
        FEATURING: describe,
        COPIES: partial(compared, images, batch, 0),
    }


def _of_features(run: Run, store: ImageStore) -> dict[str, Action]:
    """Return what is done with the features: one draw of every N_c and split, and what all draws of one share."""
    real, generated = (_outputs(run, store, own_view_only) for own_view_only in (True, False))
    evaluation, manifest = run.settings.evaluation, store.manifest
    codes = class_codes(manifest)

    def drawn(nc: int, split: str) -> None:
        one = draw(manifest, run.settings.data.dataset, nc, 0, evaluation.test_share, split)
        draw_ranks(one, codes, real, generated, [evaluation.neighbours])

    draws = {f"{nc} {split}": partial(drawn, nc, split) for nc in evaluation.nc for split in SPLITS}
    return {**draws, COPIES: partial(feature_distances, manifest, real, generated)}


def _outputs(run: Run, store: ImageStore, own_view_only: bool) -> Outputs:
    """Return made-up outputs of every standard image."""
    position, target = pairs(store.manifest, len(run.settings.data.views), own_view_only)
    random = generator("speed", int(own_view_only))
    features = random.standard_normal((len(position), FEATURES), np.float32)
    to_input, to_target = random.random((2, len(position)), np.float32)
    return Outputs(position, target, features, target, to_input, to_target)
