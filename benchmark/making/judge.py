"""The two ResNet18 that judge what is generated: one for identities, an independent one for views."""

from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file

from benchmark.data.held_out import held_out_images
from benchmark.data.image_store import open_store
from benchmark.environment import open_fabric
from benchmark.errors import InterruptedRun
from benchmark.evaluation import extractor
from benchmark.evaluation.extractor import Labelled, State
from benchmark.files import replacing
from benchmark.run.artifacts import Artifact, Made
from benchmark.training.checkpoint import restoring
from benchmark.training.interruption import stoppable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmark.run.workspace import Run

LABELS = {"identity_judge": ("identity", "view"), "view_judge": ("view", "identity")}  # learned, and balanced over
WEIGHTS, CHECKPOINT = "resnet18.safetensors", "checkpoint.pt"


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Train a network on the auxiliary set, from a checkpoint if the folder has one.

    Its accuracy is that on held-out images of the training identities.

    Raises:
        DivergedError: the loss is not finite.
        InterruptedRun: the user asked to stop; the state is saved.
        BenchmarkError: the checkpoint is damaged.
    """
    store, device = open_store(run), open_fabric(run.device).device
    settings, (task, other) = run.settings.extractor, LABELS[artifact.kind]
    rows = store.manifest.iloc[store.subset("auxiliary")]
    kept = held_out_images(rows, settings.held_out, "held out")
    row, label, others = (rows[c].to_numpy(np.int64) for c in ("row", f"{task}_label", f"{other}_label"))
    training = Labelled(row[~kept], label[~kept], extractor.balance(label[~kept], others[~kept]))
    held_out, classes = Labelled(row[kept], label[kept]), int(label.max()) + 1
    cell, checkpoint, saved = artifact.cell(run), folder / CHECKPOINT, monotonic()

    with stoppable() as stop:

        def after_epoch(state: "Callable[[], State]") -> None:
            nonlocal saved
            if stop.asked or monotonic() - saved >= run.settings.training.checkpoint_minutes * 60:
                with replacing(checkpoint, cell.check_owner) as temporary:
                    torch.save(state(), temporary)
                saved = monotonic()
            if stop.asked:
                raise InterruptedRun("saved after an epoch; the same command resumes from there")

        network, course = extractor.fit(
            store.images,
            training,
            held_out,
            classes,
            device,
            artifact.place,
            epochs=settings.epochs if task == "identity" else settings.view_epochs,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            stem=settings.stem,
            after_epoch=after_epoch,
            resume=_resumed(checkpoint, device),
        )
    recalls = extractor.recalls(network, store.images, held_out, classes, device)
    accuracy, count = extractor.mean_recall(recalls), np.bincount(held_out.labels, minlength=classes)
    print(
        f"{artifact.place}: {course.epoch} epochs{'' if course.converged else ', as many as the settings allow'}; "
        f"accuracy {accuracy:.3f} on {len(held_out.rows)} held-out images of the training identities"
    )
    with replacing(folder / WEIGHTS) as temporary:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, temporary)
    facts = {
        "classes": classes,
        "epochs": course.epoch,
        "converged": course.converged,
        "held_out_accuracy": None if np.isnan(accuracy) else round(accuracy, 6),  # each class counts the same
        "held_out_lowest": None if np.isnan(accuracy) else round(float(np.nanmin(recalls)), 6),
        "held_out_images": len(held_out.rows),
        "held_out_classes": int(np.count_nonzero(count)),
    }
    return Made((WEIGHTS,), facts)


def _resumed(checkpoint: "Path", device: torch.device) -> State | None:
    """Return the state in a checkpoint, None if there is none.

    Raises:
        BenchmarkError: it is damaged.
    """
    if not checkpoint.exists():
        return None
    with restoring(checkpoint):
        state: State = torch.load(checkpoint, map_location=device, weights_only=True)
        return {name: state[name] for name in ("course", "network", "optimizer", "scheduler")}
