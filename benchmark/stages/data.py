"""From images on disk to the split image store: the stages prepare, filter and split."""

import pandas as pd

from benchmark.data import adapters, filtering, manifest, splitting
from benchmark.data.content import note_hash
from benchmark.data.image_store import MANIFEST as STORED
from benchmark.data.image_store import SPLIT
from benchmark.data.roots import KEPT, data_root
from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.reporting import references
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import ensure
from benchmark.run.workspace import Run, locked

MANIFEST, FILTERED = "manifest.parquet", "filtered.parquet"


def prepare_data(run: Run) -> None:
    """Do the three stages."""
    prepare(run)
    filter_images(run)
    split(run)


def prepare(run: Run) -> None:
    """Render the cars if they are the data set, and write the manifest of all images."""
    found = read(run)
    with run.lock("data"):
        manifest.write(found, run.data / MANIFEST)


def read(run: Run) -> pd.DataFrame:
    """Return the manifest of all images, and say what was dropped; the cars are rendered if they are not there."""
    settings = run.settings.data
    root = data_root(settings)
    if settings.dataset == "rendered" and settings.root is None:
        from benchmark.data import rendered

        with locked(root.with_name(f".{root.name}.lock")):  # several runs can share the cars
            rendered.make(settings.rendered, root)
    reading = adapters.read(settings, root)
    print(reading.account, *reading.notes, sep="\n")
    return reading.manifest


def filter_images(run: Run) -> None:
    """Remove unwanted views and small identities, and decode what is left into the image store."""
    settings = run.settings.data
    with run.lock("data"):
        kept, account = filtering.keep(manifest.read(run.data / MANIFEST), settings)
        print(account)
        assign(run, kept)  # what is wrong with the sizes is said before minutes of decoding
        manifest.write(kept, run.data / KEPT)
        stored = manifest.read(ensure(run, Artifact("store")).folder / STORED)
        if len(stored) < len(kept):
            stored, account = filtering.keep(stored, settings)
            print(account)
        manifest.write(stored, run.data / FILTERED)


def split(run: Run) -> None:
    """Deal the identities to training, validation and evaluation."""
    with run.lock("data"):
        assigned, account = assign(run, manifest.read(run.data / FILTERED))
        print(account)
        manifest.write(assigned, run.data / SPLIT)
        note_hash(run)


def assign(run: Run, filtered: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the split manifest as `splitting.assign` does, and its line with the paper's numbers beside it.

    Raises:
        BenchmarkError: there are too few identities to split, for N_c, or for few-shot.
    """
    assigned, account = splitting.assign(filtered, run.settings.data)
    check_nc(run, assigned["identity"][assigned["split"] == "standard"].nunique())
    if run.settings.fewshot.shots:
        episodes.check(assigned, run.settings.fewshot.ways, run.settings.fewshot.shots)
    paper = references.identities(run.settings.data.dataset)
    return assigned, account + (f" (the paper: {paper[0]:,} + {paper[1]:,} identities)" if paper else "")


def check_nc(run: Run, available: int) -> None:
    """Raise BenchmarkError if more classes are asked for than the standard set has."""
    too_many = [nc for nc in run.settings.evaluation.nc if nc > available]
    if too_many:
        raise BenchmarkError(
            f"N_c = {too_many[0]} is more than the {available} identities of the standard set; "
            f"choose at most {available} by --nc or evaluation.nc, or train on fewer identities by data.auxiliary"
        )
