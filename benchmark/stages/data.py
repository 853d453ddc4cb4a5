"""From images on disk to the split image store: the stages prepare, filter and split."""

from benchmark.data import adapters, filtering, manifest, splitting
from benchmark.data.content import note_hash
from benchmark.data.image_store import MANIFEST as STORED
from benchmark.data.image_store import SPLIT
from benchmark.data.roots import KEPT, data_root
from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.files import write_text
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import ensure
from benchmark.run.workspace import Run, locked

MANIFEST, FILTERED = "manifest.parquet", "filtered.parquet"
ESTIMATED = "estimated.txt"  # which labels of the manifest are estimates, a sentence or nothing


def prepare_data(run: Run) -> None:
    """Do the three stages."""
    prepare(run)
    filter_images(run)
    split(run)


def prepare(run: Run) -> None:
    """Render the cars if they are the data set, and write the manifest of all images."""
    settings = run.settings.data
    root = data_root(settings)
    if settings.dataset == "rendered" and settings.root is None:
        from benchmark.data import rendered

        with locked(root.with_name(f".{root.name}.lock")):  # several runs can share the cars
            rendered.make(settings.rendered, root)
    reading = adapters.read(settings, root)
    with run.lock("data"):
        manifest.write(reading.manifest, run.data / MANIFEST)
        write_text(run.data / ESTIMATED, reading.estimated)
    print(reading.account)


def filter_images(run: Run) -> None:
    """Remove unwanted views and small identities, and decode what is left into the image store."""
    settings = run.settings.data
    with run.lock("data"):
        kept, account = filtering.keep(manifest.read(run.data / MANIFEST), settings)
        print(account)
        manifest.write(kept, run.data / KEPT)
        stored = manifest.read(ensure(run, Artifact("store")).folder / STORED)
        if len(stored) < len(kept):
            stored, account = filtering.keep(stored, settings)
            print(account)
        manifest.write(stored, run.data / FILTERED)


def split(run: Run) -> None:
    """Deal the identities to training, validation and evaluation."""
    with run.lock("data"):
        assigned, account = splitting.assign(manifest.read(run.data / FILTERED), run.settings.data)
        print(account)
        check_nc(run, assigned["identity"][assigned["split"] == "standard"].nunique())
        if run.settings.fewshot.shots:
            episodes.check(assigned, run.settings.fewshot.ways, run.settings.fewshot.shots)
        manifest.write(assigned, run.data / SPLIT)
        note_hash(run)


def check_nc(run: Run, available: int) -> None:
    """Raise BenchmarkError if more classes are asked for than the standard set has."""
    too_many = [nc for nc in run.settings.evaluation.nc if nc > available]
    if too_many:
        raise BenchmarkError(
            f"N_c = {too_many[0]} is more than the {available} identities of the standard set; "
            f"choose at most {available} by --nc or evaluation.nc"
        )
