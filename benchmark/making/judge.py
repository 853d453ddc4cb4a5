"""The two ResNet18 that judge what is generated: one for identities, an independent one for views."""

from typing import TYPE_CHECKING

import numpy as np
from safetensors.torch import save_file

from benchmark.data.held_out import held_out_images
from benchmark.data.image_store import open_store
from benchmark.environment import open_fabric
from benchmark.evaluation import extractor
from benchmark.files import replacing
from benchmark.run.artifacts import Artifact, Made
from benchmark.seeding import seed_global

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.run.workspace import Run

TASKS = {"identity_judge": "identity", "view_judge": "view"}
WEIGHTS = "resnet18.safetensors"


def make(run: "Run", artifact: Artifact, folder: "Path") -> Made:
    """Train a network on the auxiliary set; its accuracy is that on held-out images of it.

    Raises:
        DivergedError: the loss is not finite.
    """
    store, device = open_store(run), open_fabric(run.device).device
    settings, task = run.settings.extractor, TASKS[artifact.kind]
    rows = store.manifest.iloc[store.subset("auxiliary")]
    kept = held_out_images(rows, settings.held_out, "held out")
    training, testing = (
        (part["row"].to_numpy(), part[f"{task}_label"].to_numpy(np.int64)) for part in (rows[~kept], rows[kept])
    )
    epochs = settings.epochs if task == "identity" else settings.view_epochs
    seed_global("extractor", task)
    classes = int(rows[f"{task}_label"].max()) + 1
    network = extractor.fit(
        store.images,
        *training,
        classes,
        device,
        artifact.place,
        epochs=epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        stem=settings.stem,
    )
    accuracy = extractor.accuracy(network, store.images, *testing, device)
    print(f"{artifact.place}: accuracy {accuracy:.3f} on held-out auxiliary images")
    with replacing(folder / WEIGHTS) as temporary:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, temporary)
    return Made((WEIGHTS,), {"held_out_accuracy": round(accuracy, 6), "classes": classes})
