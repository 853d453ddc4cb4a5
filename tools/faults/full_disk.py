"""Every stage on a disk that gets full at one write after another: `python -m tools.faults --disk` runs this.

python -m tools.faults.full_disk FOLDER LONGEST SEED
"""

import sys
from pathlib import Path

import torch

from tools.faults.children import Project
from tools.faults.comparing import contents
from tools.faults.disk import on_a_small_disk

SIZE = 200 * 2**20
EVERYTHING = (  # besides the smallest run: cars to render, and live logs
    ("data.rendered", {"identities": 8, "scarce": 1, "images": [14, 16], "size": 32, "seed": 0}),
    ("data.validation", 0.3),
    ("fewshot.controls", ["no_augmentation", "oracle"]),
    ("training.tensorboard", True),
    ("training.samples_every", 2),
)


def main() -> None:
    """Make the run, and the same on a small disk."""
    folder, longest, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    whole = folder / "whole"
    whole.mkdir()
    Project(whole, figures=True, changes=EVERYTHING).make_here()
    project = Project(folder / "disk", figures=True, changes=EVERYTHING)
    found = on_a_small_disk(project, SIZE, longest, seed, contents(whole))
    if found.refused:
        sys.exit(f"no small disk can be mounted here: {found.refused}")
    for problem in found.problems:
        print(f"problem: {problem}")
    sys.exit(1 if found.problems else 0)


if __name__ == "__main__":
    main()
