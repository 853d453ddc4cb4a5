"""The sections about all else: the identity measurement, the command line, growing tasks, and the DVC pipeline."""

import os
import re
import resource
import signal
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

from benchmark.data.images import ImageStore
from benchmark.errors import BenchmarkError
from benchmark.evaluation import turners
from benchmark.evaluation.copying import feature_distances, pixel_distances
from benchmark.evaluation.draws import SPLITS, draw
from benchmark.evaluation.extractor import FEATURES, network, pooled_features
from benchmark.evaluation.identity import class_codes, draw_ranks
from benchmark.evaluation.knn import several_ranks
from benchmark.evaluation.outputs import Outputs, pairs
from benchmark.seeding import generator
from benchmark.workspace import Run
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
START = "import sys; from {}.cli import main; sys.exit(main())"  # of dvc and benchmark
PROFILE = "smoke"  # every stage and a model of each family, in minutes
NOTHING = Goal("seconds", 10.0, least=False)

Measured = tuple[float, float]  # seconds, MB


def evaluation(run: Run) -> Section:
    """Measure the parts on one batch and one draw each, and multiply by how often a model's measurement does them."""
    settings, device = run.settings, opened(run).device
    with store_of(run) as store:
        position, _ = pairs(store.manifest, len(settings.data.views), own_view_only=False)
        batch = store.subset("standard")[: settings.evaluation.batch_size]
        model, _ = ready(run, REFERENCE, store, opened(run))
        turn, compared = turners.trained(model, store, len(settings.data.views), device), pixel_distances(store)
        kind, images = torch.channels_last, turn(batch, 0)
        features, views = (network(2, settings.extractor.stem).to(device, memory_format=kind).eval() for _ in range(2))

        @torch.no_grad()
        def describe() -> None:
            pooled_features(features, images)
            views(images)

        search = partial(compared, images, batch, 0)
        times = timed({GENERATION: partial(turn, batch, 0), FEATURING: describe, COPIES: search}, ROUNDS, device)
        totals = {name: median(taken) * len(position) / len(batch) for name, taken in times.items()}
        *draws, shared = map(median, timed(_draws(run, store), ROUNDS, device).values())
    totals[KNN] = sum(draws) * settings.evaluation.draws
    totals[COPIES] += shared * len(draws)
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
    outputs = []
    for own_view_only in (True, False):
        position, target = pairs(manifest, views, own_view_only)
        random = generator("speed", int(own_view_only))
        features = random.standard_normal((len(position), FEATURES), np.float32)
        outputs.append(Outputs(position, target, features, target, *random.random((2, len(position)), np.float32)))
    codes = class_codes(manifest)

    def drawn(nc: int, split: str) -> None:
        one = draw(manifest, run.settings.data.dataset, nc, 0, evaluation.test_share, split)
        draw_ranks(one, codes, *outputs, [evaluation.neighbours])

    draws = {f"{nc} {split}": partial(drawn, nc, split) for nc in evaluation.nc for split in SPLITS}
    return {**draws, COPIES: partial(feature_distances, manifest, *outputs)}


def commands(run: Run) -> Section:
    """Start some commands of the command line, each several times."""

    def start(words: tuple[str, ...]) -> None:
        command = [sys.executable, "-c", START.format("benchmark"), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # nosec B603

    actions = {f"benchmark {' '.join(words)}": partial(start, words) for words in COMMANDS}
    times = timed(actions, ROUNDS + 2, torch.device("cpu"))
    rows = {name: {"seconds": median(taken)} for name, taken in times.items()}
    note = f"Medians over {ROUNDS + 2} rounds."
    return Section("from the start of a process to its end", rows, dict.fromkeys(rows, ANSWERED), [note])


def scaling(run: Run) -> Section:
    """Measure a cycle of the reference model, and the KNN of one draw, as the task grows."""

    def changed(section: str, **changes: int) -> Run:
        part = getattr(run.settings, section).model_copy(update=changes)
        return replace(run, settings=run.settings.model_copy(update={section: part}))

    views, neighbours, training = (
        len(run.settings.data.views),
        run.settings.evaluation.neighbours,
        run.settings.training,
    )
    rows = {
        **grown({f"training, batch {n}": partial(cycle, changed("training", batch_size=n)) for n in BATCHES}),
        **grown({f"training, {n} px": partial(cycle, changed("data", image_size=n)) for n in SIZES}),
        **grown({f"KNN, {n} identities": partial(knn, n, views, neighbours) for n in IDENTITIES}),
    }
    title = f"a cycle of {REFERENCE} (width {training.width:g}, batch {training.batch_size}), KNN of one draw"
    ended = [name for name, numbers in rows.items() if None in numbers.values()]
    note = (
        f"Each line is a process of its own; seconds are medians over {ROUNDS} rounds. MB are the most that it took "
        "beyond what it had before. The ratios are to the first line of each kind."
    )
    return Section(title, rows, {}, [note, *(f"{each} did not come to its end: too little memory." for each in ended)])


def grown(tasks: Mapping[str, Callable[[], Measured]]) -> dict[str, Numbers]:
    """Return what tasks take, and their ratios to the first; nothing for one that lacks memory."""
    rows: dict[str, Numbers] = {}
    first = None
    for name, task in tasks.items():
        found = None
        with suppress(BrokenProcessPool, MemoryError, torch.OutOfMemoryError):
            found = apart(task)
        first = first or found
        ratios = [now / then for now, then in zip(found, first, strict=True)] if found and first else [None, None]
        quantities = ("seconds", "MB", "seconds, ratio", "MB, ratio")
        rows[name] = dict(zip(quantities, [*(found or (None, None)), *ratios], strict=True))
    return rows


def apart(task: Callable[[], Measured]) -> Measured:
    """Do a task in a fresh process, whose memory is its own; an interruption does not wait for its end.

    Raises:
        BrokenProcessPool: it was killed.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(task).result()
        except KeyboardInterrupt:
            for process in active_children():
                process.kill()
            raise


def cycle(run: Run) -> Measured:
    """Return what a training cycle of the reference model takes."""
    fabric = opened(run)

    def prepared() -> Action:
        model, batches = ready(run, REFERENCE, store, fabric)
        return partial(model.cycle, batches, fabric, 0.5)

    with store_of(run) as store:
        return _measured(prepared, fabric.device)


def knn(identities: int, views: int, neighbours: int) -> Measured:
    """Return what it takes to rank the true class of the outputs of one draw."""
    random = generator("speed", identities)
    labels = [np.repeat(np.arange(identities), count) for count in (TRAINED, TESTED * views)]
    train, test = (random.standard_normal((len(own), FEATURES), np.float32) for own in labels)
    rank = partial(several_ranks, train, labels[0], test, labels[1], [neighbours])
    return _measured(lambda: rank, torch.device("cpu"))


def _measured(prepared: Callable[[], Action], device: torch.device) -> Measured:
    """Return the seconds of an action, and the MB that it and its preparation take at most beyond what was there."""

    def memory(now: bool) -> int:
        if device.type == "cuda":
            return torch.cuda.memory_allocated(device) if now else torch.cuda.max_memory_allocated(device)
        return 1024 * status(os.getpid())["VmRSS" if now else "VmHWM"]

    before = memory(now=True)
    times = timed({"action": prepared()}, ROUNDS, device)["action"]
    return median(times), (memory(now=False) - before) / 1e6


class Taken(NamedTuple):
    """Seconds that pass, and seconds of all processors."""

    wall: float
    cpu: float


def pipeline(run: Run) -> Section:
    """Run the pipeline twice with DVC, and once in one process.

    Raises:
        BenchmarkError: the project is no git repository, or a run fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folders = [copied(Path(name) / each) for each in ("dvc", "process")]
        for folder in folders:
            subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # nosec
            params = folder / "params.yaml"
            text = re.sub(r"^active: \S+", f"active: {PROFILE}", params.read_text(encoding="utf-8"), flags=re.MULTILINE)
            params.write_text(text, encoding="utf-8")
        whole, nothing = (taken(folders[0], "dvc", "repro") for _ in range(2))
        work = taken(folders[1], "benchmark", "run")
    found = {
        "dvc repro": whole,
        "benchmark run": work,
        "dvc repro beyond it": Taken(whole.wall - work.wall, whole.cpu - work.cpu),
        "dvc repro with nothing to do": nothing,
    }
    rows = {
        what: {"seconds": each.wall, "CPU seconds": each.cpu, "share": each.cpu / whole.cpu}
        for what, each in found.items()
    }
    note = (
        "Each was run once, in a copy of the files that git does not ignore. `benchmark run` does the work of all "
        "stages in one process; beyond it `dvc repro` starts processes, imports and hashes. Shares are of CPU seconds, "
        "which depend less on what else the machine does."
    )
    return Section(f"profile {PROFILE}", rows, {"dvc repro with nothing to do": NOTHING}, [note])


def taken(folder: Path, program: str, *words: str) -> Taken:
    """Return what a command takes, in the folder and with its sources; interrupted, it leaves no process.

    Raises:
        BenchmarkError: it fails.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # stages start `python`
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "DVC_NO_ANALYTICS": "1"}
    command, start = [sys.executable, "-c", START.format(program), *words], _now()
    with subprocess.Popen(  # nosec B603
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        last = (errors or output).strip().splitlines()[-1:]
        raise BenchmarkError(f"`{program} {' '.join(words)}` failed in a copy of the project: {' '.join(last)}")
    return Taken(*(now - then for now, then in zip(_now(), start, strict=True)))


def _now() -> Taken:
    """Return the clock, and what the processes have taken that were started here and have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(time.perf_counter(), ended.ru_utime + ended.ru_stime)
