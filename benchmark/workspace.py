"""Where a run keeps its files."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from benchmark import settings as settings_file
from benchmark.errors import BenchmarkError
from benchmark.settings import Profile

RUNS = Path("runs")
NEUTRAL: dict[str, Any] = {  # settings that change no value: they choose rows, or what is shown of a training
    "name": True,
    "models": True,
    "seeds": True,
    "training": {"tensorboard", "samples_every"},
    "evaluation": {"nc"},
    "fewshot": {"controls", "skip"},
}


@dataclass(frozen=True)
class Run:
    """Settings and the folders that belong to them.

    Attributes:
        settings: the profile, with what the command line changed.
        folder: everything that is made, `runs/<profile>` or `runs/adhoc-<fingerprint>`.
        results: the tables and figures.
        device: `auto`, `cpu` or `cuda`.
        plugins: files with models of the user.
    """

    settings: Profile
    folder: Path
    results: Path
    device: str = "auto"
    plugins: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Name of the run, stamped on its tables."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """Folder of manifest, image store and split."""
        return self.folder / "data"

    def lock(self, name: str, wait: bool = True) -> AbstractContextManager[None]:
        """Return the lock of a part of the run, such as `models/ours/seed0`; see `locked`."""
        return locked(self.folder / "locks" / f"{name}.lock", wait)


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock for the length of the block: one process at a time has it, and it is free when that ends.

    Raises:
        Timeout: another process holds it, and `wait` is false.
        BenchmarkError: the file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, blocking=wait)
    try:
        lock.acquire()
    except OSError as error:
        if isinstance(error, Timeout) or error.filename:
            raise
        raise BenchmarkError(f"{path} cannot be locked ({error.strerror}); work on a disk that has locks") from None
    try:
        yield
    finally:
        lock.release()


def open_run(
    settings: Profile, changed: bool = False, device: str = "auto", plugins: tuple[Path, ...] = (), active: str = ""
) -> Run:
    """Return the run of a profile, or, if `changed`, one of its own whose folder is named after the settings."""
    if changed:
        folder = RUNS / f"adhoc-{fingerprint(settings)}"
        return Run(settings, folder, folder / "results", device, plugins)
    folder = RUNS / settings.name
    active = active or settings_file.active_name()
    results = Path("results") if settings.name == active else folder / "results"
    return Run(settings, folder, results, device, plugins)


def fingerprint(settings: Profile) -> str:
    """Return a short hash of the settings that change values."""
    values = settings.model_dump(mode="json", exclude=NEUTRAL)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:10]
