"""From images on disk to the split image store: the stages prepare, filter and split."""

import hashlib
import json
from pathlib import Path

import pandas as pd

from benchmark import sources
from benchmark.cells import Cell
from benchmark.data import adapters, filtering, images, manifest, splitting
from benchmark.data.images import ImageStore
from benchmark.environment import versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation import episodes
from benchmark.settings import Data
from benchmark.workspace import Run, locked


def data_root(settings: Data) -> Path:
    """Return the folder of the images; that of the rendered cars is named after their settings and the renderer."""
    if settings.root is not None:
        return Path(settings.root)
    adapter, package = sources.PROJECT / "benchmark" / "data" / "rendered.py", sources.PROJECT / "rendered_cars"
    renderer = sources.hashes([adapter, *sorted(package.glob("*.py"))])
    made_with = versions("numpy", "pillow", "trimesh", "embreex")
    drawn = json.dumps([settings.rendered.model_dump(mode="json"), renderer, made_with], sort_keys=True)
    return Path("data") / f"rendered-{hashlib.sha256(drawn.encode()).hexdigest()[:10]}"


def prepare(run: Run) -> None:
    """Render the cars if they are the data set, and write the manifest of all images."""
    settings = run.settings.data
    root = data_root(settings)
    if settings.dataset == "rendered" and settings.root is None:
        _render(settings, root)
    reading = adapters.read(settings, root)
    manifest.write(reading.manifest, run.data / "manifest.parquet")
    print(reading.account)


def _render(settings: Data, root: Path) -> None:
    """Render the cars, which several runs can share."""
    from benchmark.data import rendered

    with locked(root.with_name(f".{root.name}.lock")):
        rendered.make(settings.rendered, root)


def filter_images(run: Run) -> None:
    """Remove unwanted views and small identities, and decode what is left into the image store."""
    settings, root = run.settings.data, data_root(run.settings.data)
    with run.lock("data"):
        kept, account = filtering.keep(manifest.read(run.data / "manifest.parquet"), settings)
        print(account)
        stored = _store(run, kept, root)
        if len(stored) < len(kept):
            stored, account = filtering.keep(stored, settings)
            print(account)
        manifest.write(stored, run.data / "filtered.parquet")


def _store(run: Run, kept: pd.DataFrame, root: Path) -> pd.DataFrame:
    settings = run.settings.data
    fingerprint = {
        "images_hash": _listing(kept, root),
        "sources": sources.hashes(sources.closure("benchmark.data.images")),
        "versions": versions("numpy", "pillow"),
        **settings.model_dump(include=_SQUARE),
    }
    cell = Cell(run.data / "store", fingerprint)
    decision = cell.decide()
    print(f"image store: {decision.action} ({decision.reason})")
    if decision.action != "skip":
        with cell.making(decision):
            _, account = images.build(kept, root, settings, cell.folder, rejected_path=run.folder / "rejected.csv")
            print(account)
            cell.finish(images.ARRAY, images.FACTS, images.MANIFEST)
    return ImageStore.open(cell.folder).manifest


_SQUARE = {"image_size", "margin"}  # the settings that shape a stored image


def _listing(kept: pd.DataFrame, root: Path) -> str:
    """Hash the manifest with the size and time of every image file, so that a changed file is decoded anew."""
    digest = hashlib.sha256(kept.to_json(orient="split", index=False).encode())
    for name in kept["image"]:
        path = root / name
        facts = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else ("missing",)
        digest.update(f"{name}{facts}\n".encode())
    return digest.hexdigest()


def split(run: Run) -> None:
    """Deal the identities to training, validation and evaluation."""
    assigned, account = splitting.assign(manifest.read(run.data / "filtered.parquet"), run.settings.data)
    print(account)
    check_nc(run, assigned["identity"][assigned["split"] == "standard"].nunique())
    if run.settings.fewshot.shots:
        episodes.check(assigned, run.settings.fewshot.ways, run.settings.fewshot.shots)
    manifest.write(assigned, run.data / "split.parquet")


def check_nc(run: Run, available: int) -> None:
    """Raise BenchmarkError if more classes are asked for than the standard set has."""
    too_many = [nc for nc in run.settings.evaluation.nc if nc > available]
    if too_many:
        raise BenchmarkError(
            f"N_c = {too_many[0]} is more than the {available} identities of the standard set; "
            f"choose at most {available} by --nc or evaluation.nc"
        )


def open_store(run: Run) -> ImageStore:
    """Open the image store with its split."""
    path = run.data / "split.parquet"
    if not path.exists():
        raise BenchmarkError(f"{path} is missing; run `benchmark run` or `dvc repro` first")
    return ImageStore.open(run.data / "store", path)
