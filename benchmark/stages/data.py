"""From images on disk to the split image store: the stages prepare, filter and split."""

import hashlib
import shutil
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark.data import adapters, filtering, images, manifest, splitting
from benchmark.data.content import note_hash
from benchmark.data.image_store import SPLIT, ImageStore
from benchmark.data.manifest import Reading
from benchmark.data.roots import KEPT, data_root
from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.files import write_text
from benchmark.reporting import references
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import ensure, is_done
from benchmark.run.workspace import Run, locked

MANIFEST, FILTERED = "manifest.parquet", "filtered.parquet"
SAMPLED = 32  # images that are decoded to see how long all take
ESTIMATED = "estimated.txt"  # which labels of the manifest are estimates, a sentence or nothing


def prepare_data(run: Run) -> None:
    """Do the three stages."""
    prepare(run)
    filter_images(run)
    split(run)


def prepare(run: Run) -> None:
    """Render the cars if they are the data set, and write the manifest of all images."""
    found = read(run)
    with run.lock("data"):
        manifest.write(found.manifest, run.data / MANIFEST)
        write_text(run.data / ESTIMATED, found.estimated)


def read(run: Run) -> Reading:
    """Read the data set, and say what was dropped; the cars are rendered if they are not there."""
    settings = run.settings.data
    root = data_root(settings)
    if settings.dataset == "rendered" and settings.root is None:
        from benchmark.data import rendered

        with locked(root.with_name(f".{root.name}.lock")):  # several runs can share the cars
            rendered.make(settings.rendered, root)
    reading = adapters.read(settings, root)
    print(reading.account, *reading.notes, sep="\n")
    return reading


def filter_images(run: Run) -> None:
    """Remove unwanted views and small identities, and decode what is left into the image store."""
    settings = run.settings.data
    with run.lock("data"):
        kept = _keep(run, manifest.read(run.data / MANIFEST))
        assign(run, kept)  # what is wrong with the sizes is said before minutes of decoding
        manifest.write(kept, run.data / KEPT)
        there = is_done(run, Artifact("store"))
        if not there:
            print(expected_store(run, kept))
        store = ImageStore.open(ensure(run, Artifact("store")).folder)
        if settings.own and not there:
            print(end=repeated(store))
        stored = store.manifest
        if len(stored) < len(kept):
            stored, account = filtering.keep(stored, settings)
            print(account)
        manifest.write(stored, run.data / FILTERED)


def repeated(store: ImageStore) -> str:
    """Return a line on the images that are the same as an earlier one, pixel for pixel, or an empty string.

    The KNN could find such an image itself among those that it compares with.
    """
    rows = store.manifest
    pixels = pd.Series([hashlib.sha256(image.tobytes()).digest() for image in store.images])
    again = np.flatnonzero(pixels.duplicated())
    if not len(again):
        return ""
    groups = rows.groupby(pixels)
    labels = ["identity", "view"]
    wrong = int((groups[labels].transform("first") != rows[labels]).any(axis=1).sum())
    first = groups["image"].transform("first")[again[0]]
    otherwise = f", {wrong:,} of them with another identity or view" if wrong else ""
    return (
        f"repeated: {len(again):,} images have the same pixels as another{otherwise}, such as {first} and "
        f"{rows['image'][again[0]]}; remove their lines\n"
    )


def preview(run: Run) -> pd.DataFrame:
    """Say what the three stages would do, and return the split manifest; nothing is written into the run's folder.

    It lacks the column `row`, and has the images that cannot be decoded.
    """
    kept = _keep(run, read(run).manifest)
    assigned, account = assign(run, kept)
    print(expected_store(run, kept), account, sep="\n")
    return assigned


def _keep(run: Run, found: pd.DataFrame) -> pd.DataFrame:
    """Return what is left of a manifest after filtering, and say what that is."""
    kept, account = filtering.keep(found, run.settings.data)
    views, sizes = kept["view"].value_counts(), kept["identity"].value_counts()
    counted = ", ".join(f"{views[view]:,} {view}" for view in run.settings.data.views)
    spread = f"{sizes.min():,} to {sizes.max():,} images of an identity, {sizes.median():g} in the middle"
    print(account, f"views: {counted}; {spread}", sep="\n")
    return kept


def expected_store(run: Run, kept: pd.DataFrame) -> str:
    """Return how much room the image store will take, and how long its making, from some images that are decoded.

    Raises:
        BenchmarkError: the disk has too little room, or none of these images can be used.
    """
    settings, root = run.settings.data, data_root(run.settings.data)
    some = kept.iloc[np.unique(np.linspace(0, len(kept) - 1, SAMPLED).round().astype(int))]
    start = time.perf_counter()
    with warnings.catch_warnings(action="ignore"):
        squares = images.squares(some, root, settings.image_size, settings.margin)
        unusable = [square for square in squares if isinstance(square, str)]
    seconds = (time.perf_counter() - start) / len(some) * len(kept)
    if len(unusable) == len(some):
        raise BenchmarkError(
            f"none of {len(some)} images that were tried can be used; {unusable[0]}; paths are relative to {root}"
        )
    said = f"; {len(unusable)} of {len(some)} that were tried cannot be used: {unusable[0]}" if unusable else ""
    size = len(kept) * 3 * settings.image_size**2
    there = next(folder for folder in (run.data, *run.data.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise BenchmarkError(
            f"the images take {gigabytes(size)} at {settings.image_size} px, and the disk of {run.folder} has "
            f"{gigabytes(free)} left; free some, or lower data.image_size"
        )
    return (
        f"store: {len(kept):,} images at {settings.image_size} px take {gigabytes(size)} on the disk, which has "
        f"{gigabytes(free)} left, and about {duration(seconds)} to make{said}"
    )


def gigabytes(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it, such as `7 min`."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.{0 if seconds >= 10 * length else 1}f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1.5 else f"{seconds:.1f} s"


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
    if run.settings.data.own:
        return assigned, "\n".join([account, *lowered(run, assigned)])
    check_nc(run, assigned["identity"][assigned["split"] == "standard"].nunique())
    if run.settings.fewshot.shots:
        episodes.check(assigned, run.settings.fewshot.ways, run.settings.fewshot.shots)
    paper = references.identities(run.settings.data.dataset)
    return assigned, account + (f" (the paper: {paper[0]:,} + {paper[1]:,} identities)" if paper else "")


def lowered(run: Run, assigned: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each measurement that the standard identities allow in a smaller size than is asked for."""
    available = assigned.loc[assigned["split"] == "standard", "identity"].nunique()
    wanted, settings = run.settings.evaluation.nc, run.settings.fewshot
    if max(wanted, default=0) > available:
        too_many = ", ".join(str(nc) for nc in wanted if nc > available)
        there = ", ".join(map(str, splitting.possible(assigned, wanted)))
        yield f"N_c: {there}, as there are {available} standard identities, too few for {too_many}"
    ways, shots = episodes.possible(assigned, settings.ways, settings.shots)
    if settings.shots and not shots:
        yield (
            f"few-shot: left out, as fewer than {episodes.LEAST} standard identities have {min(settings.shots) + 1} "
            f"images, {min(settings.shots)} to train on and one to test on; fewshot.shots has smaller numbers"
        )
    elif (ways, shots) != (settings.ways, settings.shots):
        yield (
            f"few-shot: {ways} ways with {', '.join(map(str, shots))} shots instead of {settings.ways} with "
            f"{', '.join(map(str, settings.shots))}, as the standard identities allow no more"
        )


def check_nc(run: Run, available: int) -> None:
    """Raise BenchmarkError if more classes are asked for than the standard set has."""
    too_many = [nc for nc in run.settings.evaluation.nc if nc > available]
    if too_many:
        raise BenchmarkError(
            f"N_c = {too_many[0]} is more than the {available} identities of the standard set; "
            f"choose at most {available} by --nc or evaluation.nc, or train on fewer identities by data.auxiliary"
        )
