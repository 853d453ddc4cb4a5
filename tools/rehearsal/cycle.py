"""One training cycle of a model with the settings of a profile, or some images turned: prints its CPU seconds.

python -m tools.rehearsal.cycle PROFILE MODEL (cycle | turn) IMAGES
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmark.config.settings import profile
from benchmark.data.image_store import ImageStore
from benchmark.data.pixels import to_float
from benchmark.environment import open_fabric, use_threads
from benchmark.evaluation.generate import generate
from benchmark.making import building
from benchmark.run.workspace import run_of_profile
from benchmark.seeding import rng, seed_global
from benchmark.training.sampling import AuxiliaryBatches

IDENTITIES = {"compcars": 1181, "multipie": 200}  # that train
EACH = 4  # images of an identity, in different views


def main(name: str, model: str, what: str, count: int) -> None:
    """Print the CPU seconds on one thread; `count` is the batch size, or the number of images that are turned."""
    use_threads(1)
    settings = profile(name)
    training = settings.training.model_copy(update={"batch_size": count})
    run, size = run_of_profile(settings.model_copy(update={"training": training})), settings.data.image_size
    fabric = open_fabric("cpu", training.precision)
    store = ImageStore(Path(), pd.DataFrame({"identity_label": [IDENTITIES[name] - 1]}))
    network = building.build(run, model, store).to(fabric.device).to(memory_format=torch.channels_last)
    network.setup(fabric)
    rows = np.arange(count)
    images = rng("rehearsal").integers(0, 256, (count, size, size, 3), np.uint8)
    seed_global("rehearsal", model)
    start = time.process_time()
    if what == "cycle":
        batches = AuxiliaryBatches(images, rows, rows // EACH, rows % EACH, count, fabric.device)
        network.train().cycle(batches, fabric, 0.5)
    else:
        generate(network.eval(), to_float(images), rows, 0)
    print(time.process_time() - start)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
