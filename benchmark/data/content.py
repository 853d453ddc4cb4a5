"""The hash of a run's split images: what is made from them is made again when it changes."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.data.image_store import FACTS, SPLIT, STORE, existing, open_store
from benchmark.files import reading, sha256, write_json

if TYPE_CHECKING:
    from benchmark.run.workspace import Run

HASH = "split.json"


def split_hash(run: "Run") -> str:
    """Return `ImageStore.content_hash` of a run, from what `note_hash` has written where that still holds."""
    split = existing(run.data / SPLIT)
    try:
        noted = json.loads((run.data / HASH).read_text(encoding="utf-8"))
        current = noted["made_from"] == _made_from(split, run.data / STORE / FACTS)
    except (OSError, ValueError, KeyError, TypeError):
        current = False
    return str(noted["hash"]) if current else open_store(run).content_hash


def note_hash(run: "Run") -> None:
    """Write the hash of pixels and split beside the split, so that it is known without reading either."""
    store = open_store(run)
    made_from = _made_from(run.data / SPLIT, run.data / STORE / FACTS)
    settings = run.settings.data.model_dump(mode="json")
    write_json(run.data / HASH, {"hash": store.content_hash, "made_from": made_from, "settings": settings})


def is_prepared(run: "Run") -> bool:
    """Return whether the images of a run are split as its settings say."""
    try:
        noted = json.loads((run.data / HASH).read_text(encoding="utf-8"))
        return bool(noted["settings"] == run.settings.data.model_dump(mode="json"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _made_from(split: Path, pixels: Path) -> str:
    with reading(pixels):
        return hashlib.sha256((sha256(split) + sha256(pixels)).encode()).hexdigest()
