"""Writing files so that a reader sees the old content or the new one, never a half."""

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from benchmark.errors import NO_SPACE, AccessError, BenchmarkError, FullDiskError, is_of_memory
from benchmark.run.owners import HOST, is_running

FULL = 2**20  # bytes below which a failed write is put down to a full disk


@contextmanager
def replacing(path: Path, guard: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what was written there replaces `path` when the block ends well.

    It lies in a folder of its own, as some libraries write to further files beside it. The content is on the disk
    before it has its name, so that not even a power cut leaves a half. Who may read and write it is decided by the
    umask alone, whatever the library that writes it thinks. `guard` is called right before it gets its name,
    and can refuse that by an exception.

    Raises:
        FullDiskError: the disk is full.
    """
    folder = beside(path)
    try:
        with writing(path):
            try:
                folder.mkdir(parents=True)
            except OSError as error:
                error.filename = str(path)  # what is said of it names the file, and not that beside it
                raise
            temporary = folder / "content"
            yield temporary
            sync(temporary)
            _share(temporary, folder)
            guard()
            temporary.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _share(file: Path, folder: Path) -> None:
    """Give a file the permissions that the umask has given to a new folder."""
    wanted = folder.stat().st_mode & 0o666
    if file.stat().st_mode & 0o777 != wanted:
        with suppress(OSError):  # some file systems have no permissions
            file.chmod(wanted)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk, which each library reports by an exception of its own, into one sentence.

    Raises:
        FullDiskError: the disk is full.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if _full(error, path):
            raise FullDiskError(f"no space left on the disk for {path}; free some and run again") from error
        raise


def _full(error: Exception, path: Path) -> bool:
    if getattr(error, "errno", None) in NO_SPACE or "no space left" in str(error).lower():
        return True
    return path.parent.exists() and shutil.disk_usage(path.parent).free < FULL


def beside(path: Path) -> Path:
    """Return a name beside `path` for what is to replace it: it ends in the host, the process and `.part`.

    What processes of this host that have ended left there is removed; what another host writes is left alone.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.{glob.escape(HOST)}.*.part"):
        process = left.suffixes[-2][1:]
        if process.isdigit() and (int(process) == os.getpid() or not is_running(int(process))):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{HOST}.{os.getpid()}.part")


def sync(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a reader of `path` raises into one sentence.

    Raises:
        BenchmarkError: the file is missing, damaged, or may not be read.
    """
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, SafetensorError) as error:  # pyarrow's and json's are ValueErrors
        if is_of_memory(error):
            raise
        check_access(error, path)
        reason = type(error).__name__
        raise BenchmarkError(f"{path} is missing or damaged ({reason}); delete {path.parent} and run again") from error


def check_access(error: Exception, path: Path) -> None:
    """Raise AccessError if what failed is that this user may not read the file `path`, or look into its folder."""
    refused = error if isinstance(error, PermissionError) else None
    try:
        with path.open("rb"):
            pass
    except PermissionError as found:
        refused = found
    except OSError:
        pass
    if refused:
        raise AccessError(f"{path} may not be read by this user; ask its owner for permission") from refused


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
