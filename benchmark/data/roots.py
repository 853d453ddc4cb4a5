"""Folders of the data sets."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.environment import versions
from benchmark.run import sources

if TYPE_CHECKING:
    from benchmark.config.settings import Data
    from benchmark.run.workspace import Run

KEPT = "kept.parquet"  # the filtered manifest of a run, before any image is decoded


def data_root(settings: "Data") -> Path:
    """Return the folder of the images; that of the rendered cars is named after their settings and the renderer."""
    if settings.root is not None:
        return Path(settings.root)
    adapter, package = sources.PROJECT / "benchmark" / "data" / "rendered.py", sources.PROJECT / "rendered_cars"
    renderer = sources.hashes([adapter, *sorted(package.glob("[!.]*.py"))])
    made_with = versions("numpy", "pillow", "trimesh", "embreex")
    drawn = json.dumps([settings.rendered.model_dump(mode="json"), renderer, made_with], sort_keys=True)
    return Path("data") / f"rendered-{hashlib.sha256(drawn.encode()).hexdigest()[:10]}"


def listing_hash(run: "Run") -> str:
    """Hash the filtered manifest with size and time of every image file, so that a changed file is decoded again."""
    from benchmark.data import manifest

    kept, root = manifest.read(run.data / KEPT), data_root(run.settings.data)
    digest = hashlib.sha256(kept.to_json(orient="split", index=False).encode())
    for name in kept["image"]:
        path = root / name
        facts = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else ("missing",)
        digest.update(f"{name}{facts}\n".encode())
    return digest.hexdigest()
