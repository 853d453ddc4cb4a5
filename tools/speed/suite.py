"""The sections about all else: the identity measurement, the command line, growing tasks, and the DVC pipeline."""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmark.data.image_store import ImageStore
from benchmark.errors import BenchmarkError
from benchmark.evaluation import copying, draws, generate, identity, resnet
from benchmark.evaluation.knn import several_ranks
from benchmark.evaluation.outputs import Outputs, pairs
from benchmark.run.workspace import Run
from benchmark.seeding import rng
from models.registry import REFERENCE
from tools.copies import copied
from tools.scale.memory import status
from tools.speed import Action, Goal, Numbers, Section, opened, ready, store_of, timed

ROUNDS = 3
GENERATION, FEATURING, COPIES, KNN = "generation", "features and views", "search for copies", "KNN"
COMMANDS = (("--help",), ("models",))
ANSWERED = Goal("seconds", 1.0, least=False)
BATCHES, SIZES, IDENTITIES = (8, 16, 32, 64, 128), (32, 64, 96, 128), (20, 50, 100, 200, 400)
TRAINED, TESTED = 16, 4  # images of an identity: the paper's 8 : 2
QUANTITIES = ("seconds", "MB", "seconds, ratio", "MB, ratio")
START = "import sys; from {}.cli import main; sys.exit(main())"  # of dvc and benchmark
PROFILE = "smoke"  # every stage and a model of each family, in minutes
NOTHING = Goal("seconds", 10.0, least=False)

Pair = tuple[float, float]  # seconds, and MB or seconds of all processors


def evaluation(run: Run) -> Section:
    """Measure generation, features, search for copies and KNN, as shares of the identity measurement."""
    settings, fabric = run.settings, opened(run)
    device, kind = fabric.device, torch.channels_last
    with store_of(run) as store:
        position, _ = pairs(store.manifest, len(settings.data.views), own_view_only=False)
        batch = store.subset("standard")[: settings.evaluation.batch_size]
        function = generate.trained(ready(run, REFERENCE, store, fabric)[0], store)
        stem, images = settings.extractor.stem, function(batch, 0)
        resnets = [resnet.network(2, stem).to(device).to(memory_format=kind).eval() for _ in range(2)]

        @torch.no_grad()
        def describe() -> None:
            resnet.pooled_features(resnets[0], images)
            resnets[1](images)

        search = partial(copying.pixel_distances(store), images, batch, 0)
        times = timed({GENERATION: partial(function, batch, 0), FEATURING: describe, COPIES: search}, ROUNDS, device)
        totals = {name: median(taken) * len(position) / len(batch) for name, taken in times.items()}
        *drawn, shared = map(median, timed(_draws(run, store), ROUNDS, device).values())
    totals[KNN] = sum(drawn) * settings.evaluation.draws
    totals[COPIES] += shared * len(drawn)
    rows = {name: {"seconds": part, "share": part / sum(totals.values())} for name, part in totals.items()}
    title = f"one model, {len(position):,} images at {settings.data.image_size} px"
    note = (
        f"One batch of {len(batch)} images and one draw of each N_c and split are measured (medians over {ROUNDS} "
        "rounds) and multiplied by their number."
    )
    return Section(title, rows, {}, [note])


def _draws(run: Run, store: ImageStore) -> dict[str, Action]:
    """Return a draw of every N_c and split, and what all draws of one share, with made-up features."""
    evaluation, manifest, views = run.settings.evaluation, store.manifest, len(run.settings.data.views)

    def outputs(own_view_only: bool) -> Outputs:
        position, target = pairs(manifest, views, own_view_only)
        random = rng("speed", int(own_view_only))
        features = random.standard_normal((len(position), resnet.FEATURES), np.float32)
        return Outputs(position, target, features, target, *random.random((3, len(position)), np.float32))

    real, generated, codes = outputs(True), outputs(False), identity.class_codes(manifest)

    def drawn(nc: int, split: str) -> None:
        one = draws.draw(manifest, run.settings.data.dataset, nc, 0, evaluation.test_share, split)
        identity.draw_ranks(one, codes, real, generated, [evaluation.neighbours])

    each = {f"{nc} {split}": partial(drawn, nc, split) for nc in evaluation.nc for split in draws.SPLITS}
    return {**each, COPIES: partial(copying.feature_distances, manifest, real, generated)}


def commands(run: Run) -> Section:
    """Measure the start of the command line."""

    def start(words: tuple[str, ...]) -> None:
        command = [sys.executable, "-c", START.format("benchmark"), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    actions = {f"benchmark {' '.join(words)}": partial(start, words) for words in COMMANDS}
    times = timed(actions, ROUNDS + 2, torch.device("cpu"))
    rows = {name: {"seconds": median(taken)} for name, taken in times.items()}
    notes = [f"Medians over {ROUNDS + 2} rounds."]
    return Section("from the start of a process to its end", rows, dict.fromkeys(rows, ANSWERED), notes)


def scaling(run: Run) -> Section:
    """Measure time and memory over batch, image size and number of identities."""

    def cycled(section: str, **changes: int) -> Callable[[], Pair]:
        part = getattr(run.settings, section).model_copy(update=changes)
        return partial(cycle, replace(run, settings=run.settings.model_copy(update={section: part})))

    training, ranked = run.settings.training, (len(run.settings.data.views), run.settings.evaluation.neighbours)
    rows = {
        **grown({f"training, batch {n}": cycled("training", batch_size=n) for n in BATCHES}),
        **grown({f"training, {n} px": cycled("data", image_size=n) for n in SIZES}),
        **grown({f"KNN, {n} identities": partial(knn, n, *ranked) for n in IDENTITIES}),
    }
    title = f"a cycle of {REFERENCE} (width {training.width:g}, batch {training.batch_size}), KNN of one draw"
    ended = [name for name, numbers in rows.items() if None in numbers.values()]
    note = (
        f"Each line is a process of its own; seconds are medians over {ROUNDS} rounds. MB are the most that it took "
        "beyond what it had before. The ratios are to the first line of each kind."
    )
    return Section(title, rows, {}, [note, *(f"{name} did not come to its end: too little memory." for name in ended)])


def grown(tasks: Mapping[str, Callable[[], Pair]]) -> dict[str, Numbers]:
    """Return what tasks take, and their ratios to the first; None for one that lacks memory."""
    rows, first = dict[str, Numbers](), None
    for name, task in tasks.items():
        rows[name] = dict.fromkeys(QUANTITIES)
        with suppress(BrokenProcessPool, MemoryError, torch.OutOfMemoryError):
            found = in_subprocess(task)
            first = first or found
            ratios = (now / then for now, then in zip(found, first, strict=True))
            rows[name] = dict(zip(QUANTITIES, (*found, *ratios), strict=True))
    return rows


def in_subprocess(task: Callable[[], Pair]) -> Pair:
    """Do a task in a fresh process, whose memory is its own; raise BrokenProcessPool where it was killed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(task).result()


def cycle(run: Run) -> Pair:
    """Return what a training cycle of the reference model takes."""
    fabric = opened(run)

    def prepared() -> Action:
        model, batches = ready(run, REFERENCE, store, fabric)
        return partial(model.cycle, batches, fabric, 0.5)

    with store_of(run) as store:
        return _measured(prepared, fabric.device)


def knn(identities: int, views: int, neighbours: int) -> Pair:
    """Return what it takes to rank the true class of the outputs of one draw."""
    random = rng("speed", identities)
    labels = [np.repeat(np.arange(identities), count) for count in (TRAINED, TESTED * views)]
    train, test = (random.standard_normal((len(own), resnet.FEATURES), np.float32) for own in labels)
    rank = partial(several_ranks, train, labels[0], test, labels[1], [neighbours])
    return _measured(lambda: rank, torch.device("cpu"))


def _measured(prepared: Callable[[], Action], device: torch.device) -> Pair:
    """Return the seconds of an action, and the MB that it and its preparation take at most beyond what was there."""

    def memory(now: bool) -> int:
        if device.type == "cuda":
            return torch.cuda.memory_allocated(device) if now else torch.cuda.max_memory_allocated(device)
        return 1024 * status(os.getpid())["VmRSS" if now else "VmHWM"]

    before = memory(now=True)
    times = timed({"action": prepared()}, ROUNDS, device)["action"]
    return median(times), (memory(now=False) - before) / 1e6


def pipeline(run: Run) -> Section:
    """Measure `dvc repro` beside the work of its stages; it takes many minutes."""
    with tempfile.TemporaryDirectory() as name:
        with_dvc, in_one = (copied(Path(name) / each) for each in ("dvc", "process"))
        for folder in (with_dvc, in_one):
            subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
            text = (folder / "params.yaml").read_text(encoding="utf-8")
            active = re.sub(r"^active: \S+", f"active: {PROFILE}", text, flags=re.MULTILINE)
            (folder / "params.yaml").write_text(active, encoding="utf-8")
        whole, nothing = taken(with_dvc, "dvc", "repro"), taken(with_dvc, "dvc", "repro")
        work = taken(in_one, "benchmark", "run")
    beyond = (whole[0] - work[0], whole[1] - work[1])
    found = {"dvc repro": whole, "benchmark run": work, "dvc repro beyond it": beyond}
    found["dvc repro with nothing to do"] = nothing
    rows = {name: {"seconds": wall, "CPU seconds": cpu, "share": cpu / whole[1]} for name, (wall, cpu) in found.items()}
    note = (
        "Each was run once, in a copy of the project. `benchmark run` does the work of all stages in one process; "
        "beyond it `dvc repro` starts processes, imports and hashes. Shares are of CPU seconds."
    )
    return Section(f"profile {PROFILE}", rows, {"dvc repro with nothing to do": NOTHING}, [note])


def taken(folder: Path, program: str, *words: str) -> Pair:
    """Return the seconds that a command takes, and those of all processors, in the folder and with its sources.

    Raises:
        BenchmarkError: it fails.
    """

    def now() -> Pair:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.perf_counter(), ended.ru_utime + ended.ru_stime

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # stages start `python`
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "DVC_NO_ANALYTICS": "1"}
    command, (wall, cpu) = [sys.executable, "-c", START.format(program), *words], now()
    ended = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)
    if ended.returncode:
        last = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
        raise BenchmarkError(f"`{program} {' '.join(words)}` failed in a copy of the project: {' '.join(last)}")
    return now()[0] - wall, now()[1] - cpu
