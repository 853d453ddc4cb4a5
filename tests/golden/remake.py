"""Makes all golden values again, and says which moved: `python -m tests.golden.remake`, in the project's folder.

That takes seconds, and measures the generator, networks and images that are frozen. With `--frozen` these are made
again first, in minutes: cars are rendered, networks and generator trained. It is needed only where the frozen weights
do not fit the code any more; another machine rounds differently, and trains others.

The same sources on the same machine make the same bytes.
"""

import click
import torch

from benchmark.files import write_json
from tests.golden import frozen
from tests.golden.check import FOLDER, TRAINED, losses, moved, stored
from tests.golden.figures import fewshot_figures, identity_figures
from tests.golden.freeze import freeze


def remake(kind: str, found: dict[str, object]) -> None:
    """Store what was found, and print what moved."""
    path = FOLDER / f"{kind}.json"
    lines = moved(stored(kind) if path.exists() else {}, found)
    write_json(path, found)
    print(*(f"{kind}: {line}" for line in lines or ["nothing moved"]), sep="\n")


@click.command(help=__doc__)
@click.option("--frozen", "again", is_flag=True, help="First make images, networks and generator again.")
def main(again: bool) -> None:
    """Make everything."""
    torch.set_num_threads(1)
    if again:
        freeze(frozen.FOLDER)
    remake("identity", {**identity_figures()})
    remake("fewshot", {**fewshot_figures()})
    remake("losses", {name: losses(name) for name in TRAINED})


if __name__ == "__main__":
    main()
