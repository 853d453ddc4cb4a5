"""The folders of a run."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from benchmark.config import settings as settings_file
from benchmark.config.settings import Profile
from benchmark.errors import BenchmarkError

RUNS = Path("runs")
KEPT = ".kept"  # beside the folders of the runs: finished artefacts that were replaced


@dataclass(frozen=True)
class Pictures:
    """Pictures made elsewhere that a command has checked, and that wait to become an artefact.

    Attributes:
        name: of their row in the tables.
        folder: which holds them as the files of the artefact.
        digest: SHA-256 of the pictures.
    """

    name: str
    folder: Path
    digest: str


@dataclass(frozen=True)
class Run:
    """Settings and the folders that belong to them.

    Attributes:
        settings: the profile, with what the command line changed.
        folder: everything that is made, `runs/<name>`.
        results: the tables and figures.
        device: `auto`, `cpu` or `cuda`.
        plugins: files with models of the user.
        pictures: made elsewhere, where the command brings some; those of earlier commands are artefacts.
    """

    settings: Profile
    folder: Path
    results: Path
    device: str = "auto"
    plugins: tuple[Path, ...] = ()
    pictures: Pictures | None = None

    @property
    def name(self) -> str:
        """Name of the run, stamped on its tables."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """Folder of manifest, image store and split."""
        return self.folder / "data"

    def training(self, model: str, seed: int = 0) -> str:
        """Return the command that trains a model in this run."""
        place = f"--profile {self.name}" if self.name == self.settings.name else f"--name {self.name}"
        return f"benchmark run {place} --model {model}{f' --seeds {seed + 1}' if seed else ''}"

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


def run_of_profile(settings: Profile, device: str = "auto", plugins: tuple[Path, ...] = (), active: str = "") -> Run:
    """Return the run of a profile, whose name it has; the results of the active one stand in `results`."""
    folder, active = RUNS / settings.name, active or settings_file.active_name()
    results = Path("results") if settings.name == active else folder / "results"
    return Run(settings, folder, results, device, plugins)


def run_of_changes(settings: Profile, name: str, device: str = "auto", plugins: tuple[Path, ...] = ()) -> Run:
    """Return a run whose settings are no profile's; without a name it is called after them."""
    folder = RUNS / (name or f"adhoc-{settings_hash(settings)}")
    return Run(settings, folder, folder / "results", device, plugins)


def settings_hash(settings: Profile) -> str:
    """Return a short hash of the settings that change values."""
    values = settings.model_dump(mode="json", exclude=settings_file.NEUTRAL)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:10]
