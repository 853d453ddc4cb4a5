"""Training the two ResNet18 of the measurement: the stage extractor."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmark import sources
from benchmark.cells import Cell
from benchmark.data.images import ImageStore
from benchmark.data.splitting import held_out
from benchmark.environment import open_fabric, versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation import extractor, resnet
from benchmark.evaluation.outputs import Networks
from benchmark.files import replacing, sha256
from benchmark.seeding import seed_global
from benchmark.stages.data import open_store
from benchmark.workspace import Run

LABELS = {"identity": "identity_label", "view": "view_label"}
OTHERS_EPOCHS = {"identity": "view_epochs", "view": "epochs"}  # settings of the other network
WEIGHTS = "resnet18.safetensors"


def cell(run: Run, task: str, store: ImageStore, device: str) -> Cell:
    """Return the cell of the network for `identity` or `view`."""
    fingerprint = {
        "settings": run.settings.extractor.model_dump(mode="json", exclude={OTHERS_EPOCHS[task]}),
        "views": len(run.settings.data.views),
        "threads": run.settings.threads,
        "data_hash": store.content_hash,
        "sources": sources.hashes([*sources.closure("benchmark.evaluation.extractor"), Path(__file__)]),
        "versions": versions(),
        "device": device,
    }
    return Cell(run.folder / "extractors" / task, fingerprint)


def train_extractors(run: Run) -> None:
    """Train both networks of the measurement, unless that is done."""
    for task in LABELS:
        train_extractor(run, task)


def train_extractor(run: Run, task: str, seed: int = 0, wait: bool = True) -> None:
    """Train the network for `identity` or `view` on the auxiliary set, and print its held-out accuracy.

    There is one of each, for all training seeds of the models.

    Raises:
        Timeout: another process trains the same, and `wait` is false.
    """
    store, device = open_store(run), open_fabric(run.device).device
    target = cell(run, task, store, device.type)
    with run.lock(f"extractors/{task}", wait):
        decision = target.decide()
        print(f"extractor {task}: {decision.action} ({decision.reason})")
        if decision.action != "skip":
            with target.making(decision):
                _train(run, task, store, target, device)
    print(f"extractor {task}: accuracy {target.record['held_out_accuracy']:.3f} on held-out auxiliary images")


def _train(run: Run, task: str, store: ImageStore, target: Cell, device: torch.device) -> None:
    settings = run.settings.extractor
    rows = store.manifest.iloc[store.subset("auxiliary")]
    kept = held_out(rows, settings.held_out, "held out")
    training, testing = (
        (part["row"].to_numpy(), part[LABELS[task]].to_numpy(np.int64)) for part in (rows[~kept], rows[kept])
    )
    epochs = settings.epochs if task == "identity" else settings.view_epochs
    seed_global("extractor", task)
    classes = int(rows[LABELS[task]].max()) + 1
    network = extractor.fit(
        store.images,
        *training,
        classes,
        device,
        f"extractor {task}",
        epochs=epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        stem=settings.stem,
    )
    accuracy = extractor.accuracy(network, store.images, *testing, device)
    with replacing(target.folder / WEIGHTS) as temporary:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, temporary)
    digest = sha256(target.folder / WEIGHTS)
    target.finish(WEIGHTS, held_out_accuracy=round(accuracy, 6), classes=classes, weights_hash=digest)


def load_networks(run: Run, store: ImageStore, device: torch.device) -> tuple[Networks, dict[str, str]]:
    """Return the trained networks and the hashes of their weights.

    Raises:
        BenchmarkError: they are not trained yet, or their files are damaged.
    """
    loaded, digests = {}, {}
    for task in LABELS:
        found = cell(run, task, store, device.type)
        folder, record, decision = found.folder, found.record, found.decide()
        if decision.action != "skip":
            raise BenchmarkError(
                f"{folder} holds no extractor of these settings ({decision.reason}); run `benchmark run` or `dvc repro`"
            )
        network = resnet.network(record["classes"], run.settings.extractor.stem)
        try:
            network.load_state_dict(load_file(folder / WEIGHTS))
        except Exception as error:  # safetensors and torch report damage by several types
            reason = type(error).__name__
            raise BenchmarkError(f"{folder / WEIGHTS} is damaged ({reason}); delete {folder} and run again") from error
        loaded[task] = network.to(device).to(memory_format=torch.channels_last).eval()
        digests[task] = record["weights_hash"]
    return Networks(**loaded), digests
