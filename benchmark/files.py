"""Writing files so that a reader sees the old content or the new one, never a half."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from benchmark.errors import BenchmarkError, FullDiskError

FULL = 2**20  # bytes below which a failed write is put down to a full disk


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what was written there replaces `path` when the block ends well.

    Raises:
        FullDiskError: the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # each library says "disk full" by a type of its own
        if "no space left" in str(error).lower() or shutil.disk_usage(path.parent).free < FULL:
            raise FullDiskError(f"no space left on the disk for {path}; free some and run again") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a reader of `path` raises into one sentence.

    Raises:
        BenchmarkError: the file is missing or damaged.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as error:  # pyarrow's and json's errors are ValueErrors
        reason = type(error).__name__
        raise BenchmarkError(f"{path} is missing or damaged ({reason}); delete {path.parent} and run again") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with `\\n` line ends."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` with sorted keys and indentation."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")
