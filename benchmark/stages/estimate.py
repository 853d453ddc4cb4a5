"""Estimates of a run's time and memory: a few steps of everything that takes time, timed on this machine."""

import gc
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray

from benchmark.data import splitting
from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.environment import device_name, open_fabric
from benchmark.errors import is_of_memory
from benchmark.evaluation import classifier, extractor, resnet
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.evaluation.draws import measurable
from benchmark.evaluation.generate import generate
from benchmark.evaluation.knn import several_ranks
from benchmark.execution import tasks
from benchmark.making import building, warm_start
from benchmark.run.workspace import Run
from benchmark.seeding import rng, seed_global
from benchmark.stages.data import duration, gigabytes
from benchmark.training import warm_up
from benchmark.training.costs import Costs, Meter
from benchmark.training.sampling import AuxiliaryBatches, fits

CYCLES = 3  # of each model, and steps of each other network
LONG = 20.0  # seconds after which a first cycle is enough
DRAWN = 2048  # images of which batches are drawn
SMALL, LARGER = 2 * 224**2, 4  # pixels of a batch that a CPU takes in seconds; how many of them the larger one has
TURNED = 32  # images that a generator turns
QUERIES = 256  # images that the KNN classifies
PEAK = Path("/proc/self/status")  # has the most memory that the process had at once
RATE = 1e-6  # learning rate; it changes no time


@dataclass(frozen=True)
class Material:
    """Material for timing networks.

    Attributes:
        store: with the split manifest of the run.
        images: squares (N, S, S, 3), uint8; real ones, or random ones in their place.
        identity: labels (N,), of the training identities.
        view: labels (N,).
        fabric: with device and precision of the run.
    """

    store: ImageStore
    images: NDArray[np.uint8]
    identity: NDArray[np.int64]
    view: NDArray[np.int64]
    fabric: Fabric

    def batches(self, run: Run) -> AuxiliaryBatches:
        """Return training batches."""
        rows, size = np.arange(len(self.images)), run.settings.training.batch_size
        return AuxiliaryBatches(self.images, rows, self.identity, self.view, size, self.fabric.device)

    def seconds(self, action: Callable[[], object]) -> float:
        """Return how long something takes; a GPU is waited for."""
        start = time.perf_counter()
        action()
        if self.fabric.device.type == "cuda":
            torch.cuda.synchronize(self.fabric.device)
        return time.perf_counter() - start


def estimate(run: Run, store: ImageStore, made: bool) -> Iterator[str]:
    """Time a few steps, and yield a line for each model, for everything else, and for the whole run.

    Args:
        run: its models, seeds and measurements count.
        store: of the run, with the split manifest.
        made: whether the images are there; otherwise random ones are taken.
    """
    settings, material = run.settings, _material(run, store, made)
    source = "images of the store" if made else "random images"
    small, size = _small(run, material), settings.training.batch_size
    batches = f" in batches of {small} and {LARGER * small}, from which those of {size} are computed," if small else ""
    device = device_name(material.fabric.device)
    yield f"estimate, by up to {CYCLES} cycles of each model{batches} on {source}, {device}:"
    outputs = len(store.subset("standard")) * len(settings.data.views)
    training, turning, memory, left_out = 0.0, 0.0, 0, ""
    for model in settings.models:
        try:
            cycle, turned, peak, images = _model(run, material, model)
        except Exception as error:
            if not is_of_memory(error):
                raise
            left_out += f" without {model}"
            yield f"  {model}: there is too little memory; lower training.batch_size"
            continue
        own = cycle * -(-settings.training.images // images) * settings.seeds
        few = settings.fewshot.ways * max(settings.fewshot.shots, default=0) * settings.fewshot.generated
        added = 0 if model in settings.fewshot.skip else few * settings.fewshot.episodes
        training, memory = training + own, max(memory, peak)
        turning += turned * (outputs + added) * settings.seeds
        runs = f"{settings.seeds} training run{'s' if settings.seeds > 1 else ''}"
        yield (
            f"  {model}: {duration(own)} for {runs} of {settings.training.images:,} images (training.images), "
            f"{cycle:.3g} s for a cycle of {images}, {gigabytes(peak)}"
        )
    parts = {
        "warm starts at most": _warm_starts(run, material),
        "models": training,
        "judges at most": _judges(run, material),
        "measuring identity": turning + _identity(run, material, outputs),
        "few-shot": _fewshot(run, material),
    }
    yield "; ".join(f"{name} {duration(seconds)}" for name, seconds in parts.items() if seconds)
    kind = "GPU memory" if material.fabric.device.type == "cuda" else "memory"
    sure = sum(seconds for name, seconds in parts.items() if not name.endswith("at most"))
    yield (
        f"the whole run{left_out}: about {duration(sure)} to {duration(sum(parts.values()))} if one process does it, "
        f"as what is marked `at most` ends where it gets no better, and {gigabytes(memory)} of {kind} a process"
    )


def _material(run: Run, store: ImageStore, made: bool) -> Material:
    """Return images of whole identities, as many as batches need to be like those of the training."""
    rows = store.manifest.iloc[store.subset("auxiliary")].sort_values("identity_label", kind="stable").head(DRAWN)
    shape = (len(rows), run.settings.data.image_size, run.settings.data.image_size, 3)
    images = store.images[rows["row"].to_numpy()] if made else rng("estimate").integers(0, 256, shape, np.uint8)
    identity, view = (rows[name].to_numpy(np.int64) for name in ("identity_label", "view_label"))
    return Material(store, images, identity, view, open_fabric(run.device, run.settings.training.precision))


def _model(run: Run, material: Material, name: str) -> tuple[float, float, int, int]:
    """Return the seconds of a cycle and of an image that is turned, the bytes of memory, and the images of a cycle.

    Where a CPU would take minutes and many gigabytes for a batch, two smaller ones are measured, and the straight line
    through both tells what the whole one takes.
    """
    small = _small(run, material)
    if not small:
        return _measured(run, material, name)
    settings, found = run.settings, []
    for size in (small, LARGER * small):
        training = settings.training.model_copy(update={"batch_size": size})
        part = replace(run, settings=settings.model_copy(update={"training": training}))
        found.append(_measured(part, material, name))
    (first, _, less, few), (second, turned, more, _) = found
    further = (settings.training.batch_size / small - LARGER) / (LARGER - 1)
    seconds, memory = second + further * max(0.0, second - first), more + round(further * max(0, more - less))
    return seconds, turned, memory, few * settings.training.batch_size // small


def _small(run: Run, material: Material) -> int:
    """Return the images of the smallest batch that is measured in the place of the run's, 0 if that is measured."""
    small = max(2, SMALL // run.settings.data.image_size**2)
    on_cpu = material.fabric.device.type == "cpu"
    return small if on_cpu and run.settings.training.batch_size > LARGER * small else 0


def _measured(run: Run, material: Material, name: str) -> tuple[float, float, int, int]:
    """Return what `_model` does, from cycles of the run's batch size.

    Cycles are spread over the budget, as models change their schedule on the way.
    """
    gc.collect()
    torch.cuda.empty_cache()
    fabric, store = material.fabric, material.store
    meter = Meter(fabric.device, Costs())
    network = building.build(run, name, store).to(fabric.device).to(memory_format=torch.channels_last)
    network.setup(fabric)
    batches = material.batches(run)
    network.train()
    seed_global("estimate", name)
    if fabric.device.type == "cuda":
        network.cycle(batches, fabric, 0.0)  # the first one chooses algorithms
    with suppress(OSError):  # not Linux, or a container that keeps this file shut
        PEAK.with_name("clear_refs").write_text("5", encoding="ascii")  # the peak counts from now on
    times: list[float] = []
    images = 1
    for number in range(CYCLES):
        start = time.perf_counter()
        report = network.cycle(batches, fabric, (number + 0.5) / CYCLES)
        images = report.images
        for loss in report.losses.values():
            float(loss)  # waits for a GPU
        times.append(time.perf_counter() - start)
        memory = meter.read().peak_memory
        if times[0] > LONG:
            break
    if fabric.device.type == "cpu" and PEAK.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", PEAK.read_text(encoding="utf-8", errors="replace"))
        memory = max(memory, 1024 * int(found[1]) if found else 0)
    whole = len(store.subset("auxiliary")) * material.images[0].nbytes
    memory += whole if fits(whole, fabric.device) else 0
    network.eval()
    inputs = to_float(material.images[: min(TURNED, run.settings.training.batch_size)])
    turn = partial(generate, network, inputs, np.arange(len(inputs)), 0)
    turn()
    return sum(times) / len(times), material.seconds(turn) / len(inputs), memory, images


def _warm_starts(run: Run, material: Material) -> float:
    """Return the seconds of all warm-ups, if each takes all its steps."""
    warm, total = run.settings.training.warm_up, 0.0
    few = warm_up.HeldOut(material.images, np.arange(2), material.identity[:2], material.view[:2])
    spec = building.spec(run, building.training_identities(material.store))
    images = (1 - warm_start.HELD_OUT) * len(material.store.subset("auxiliary"))
    epoch = math.ceil(images / run.settings.training.batch_size)
    for task in tasks.training(run):
        kind = building.load(run, task.name) if task.kind == "warm_start" and not task.seed else None
        if kind and kind.warm_start:
            train = partial(
                warm_up.warm_up,
                kind.warm_start_network(spec),
                material.batches(run),
                few,
                material.fabric,
                terms=kind.warm_start,
                steps=CYCLES,
                epoch=epoch,
                view_weight=warm.view_weight,
                learning_rate_factor=RATE,
            )
            steps = kind.warm_start.epochs * epoch or warm.steps
            total += material.seconds(train) / CYCLES * steps * run.settings.seeds
    return total


def _judges(run: Run, material: Material) -> float:
    """Return the seconds of training both judges, if each takes all its epochs."""
    settings, device = run.settings.extractor, material.fabric.device
    rows = np.arange(min(CYCLES * settings.batch_size, len(material.images)))
    classes = building.training_identities(material.store)
    labels = material.identity[rows]
    training = extractor.Labelled(rows, labels, np.ones(len(rows), np.float32))
    fit = partial(
        extractor.fit,
        *(material.images, training, extractor.Labelled(rows[:2], labels[:2]), classes, device, "a judge"),
        epochs=1,
        batch_size=settings.batch_size,
        learning_rate=RATE,
        stem=settings.stem,
    )
    images = (1 - settings.held_out) * len(material.store.subset("auxiliary"))
    return material.seconds(fit) / len(rows) * images * (settings.epochs + settings.view_epochs)


def _identity(run: Run, material: Material, outputs: int) -> float:
    """Return the seconds in which the judges see all outputs, and the KNN classifies them."""
    settings, manifest = run.settings.evaluation, material.store.manifest
    rows = len(tasks.controls(run, OF_IDENTITY)) + len(run.settings.models) * run.settings.seeds
    judge = resnet.network(2, run.settings.extractor.stem).to(material.fabric.device).eval()
    images = to_float(material.images[:TURNED]).to(material.fabric.device)
    judged = partial(resnet.pooled_features, judge, images)
    judged()
    total = 2 * material.seconds(judged) / len(images) * outputs
    standard = manifest[manifest["split"] == "standard"]
    each, random = len(standard) / standard["identity"].nunique(), rng("estimate")
    for _, nc in measurable(manifest, splitting.possible(manifest, settings.nc))[0]:
        known = max(nc, round(nc * each * (1 - settings.test_share)))
        queries = nc * each * settings.test_share * len(run.settings.data.views)
        train, test = (random.standard_normal((count, resnet.FEATURES), np.float32) for count in (known, QUERIES))
        labels = np.arange(known) % nc
        rank = partial(several_ranks, train, labels, test, np.arange(QUERIES) % nc, [settings.neighbours])
        total += material.seconds(rank) / QUERIES * queries * settings.draws
    return total * rows


def _fewshot(run: Run, material: Material) -> float:
    """Return the seconds of training all few-shot classifiers, each with added images."""
    settings = run.settings.fewshot
    wanted = sum(task.kind == "fewshot" for task in tasks.recognising(run)) * settings.episodes * len(settings.shots)
    if not wanted:
        return 0.0
    images = material.images[: 2 * settings.batch_size]
    labels, half = np.arange(len(images)) % settings.ways, len(images) // 2
    examples = classifier.Examples(images, labels, np.arange(len(images)) < len(images) - half, half)
    recipe = classifier.Recipe(CYCLES, settings.batch_size, RATE, run.settings.extractor.stem)
    fit = partial(classifier.fit, examples, settings.ways, recipe, material.fabric.device, "a few-shot classifier")
    return material.seconds(fit) / CYCLES * settings.steps * wanted
