"""Runs by their names: what is stored of them, which there are, and what none of them needs any more."""

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import Timeout
from pydantic import ValidationError

from benchmark.config import settings as settings_file
from benchmark.config.settings import Profile
from benchmark.config.values import NAME
from benchmark.errors import AccessError, BenchmarkError
from benchmark.files import check_access, write_json
from benchmark.run.artifacts import made
from benchmark.run.cells import difference
from benchmark.run.workspace import KEPT, RUNS, Run, locked, run_of_profile

SETTINGS, REQUESTS = "settings.json", "requests"
LEFT = 24 * 3600  # seconds after which what a killed process of another host left may go


def store(run: Run) -> None:
    """Write what a run is into its folder, so that other commands find it by its name.

    A file that says the same already stays as it is: it can be that of another user.
    """
    path = run.folder / SETTINGS
    with suppress(OSError, ValueError):
        if json.loads(path.read_text(encoding="utf-8")) == _content(run):
            return
    write_json(path, _content(run))


def request(run: Run) -> Path:
    """Write what a run is, with the rows that are wanted of it, for other processes; return the file."""
    content = _content(run)
    name = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    path = run.folder / REQUESTS / f"{name}.json"
    if not path.exists():
        write_json(path, content)
    return path.absolute()


def _content(run: Run) -> dict[str, object]:
    return {
        "settings": run.settings.model_dump(mode="json"),
        "folder": str(run.folder),
        "results": str(run.results),
        "device": run.device,
        "plugins": [str(path.absolute()) for path in run.plugins],
    }


def read(path: Path) -> Run:
    """Return the run that a file describes; that of `settings.json` lies where the file is, and has no plug-ins.

    A folder can come from someone else, and a plug-in is executed only where the user names it.

    Raises:
        BenchmarkError: it is damaged, of another version of the suite, or may not be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = Profile.model_validate_json(json.dumps(content["settings"]))
        if path.name == SETTINGS:
            return Run(settings, path.parent, path.parent / "results", content["device"])
        plugins = tuple(Path(plugin) for plugin in content["plugins"])
        return Run(settings, Path(content["folder"]), Path(content["results"]), content["device"], plugins)
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        check_access(error, path)
        reason = " ".join(str(error).split())[:200]
        raise BenchmarkError(
            f"{path} is damaged or of another version ({reason}); make the run again with its settings"
        ) from None


def opened(name: str, device: str | None = None, plugins: tuple[Path, ...] = ()) -> Run:
    """Return a run by its name: that of a profile as params.yaml has it now, any other as it was stored.

    Args:
        name: the name, or the file of a request.
        device: in place of the stored one.
        plugins: in place of the stored ones.

    Raises:
        BenchmarkError: there is none.
    """
    if name.endswith(".json") and Path(name).is_file():
        run = read(Path(name))
    elif name in settings_file.load()["profiles"]:
        run = run_of_profile(settings_file.profile(name))
    elif is_stored(name):
        run = read(RUNS / name / SETTINGS)
    else:
        known = [*settings_file.load()["profiles"], *(path.parent.name for path in _stored())]
        hint = settings_file.did_you_mean(name, known)
        raise BenchmarkError(
            f"there is no run {name[:100] or 'without a name'}; `benchmark runs` lists them, and `benchmark run --name "
            f"NAME` with settings makes one{hint}"
        )
    return replace(run, device=device or run.device, plugins=plugins or run.plugins)


def is_stored(name: str) -> bool:
    """Return whether there is a run of a name that is no profile's."""
    return bool(NAME.fullmatch(name)) and (RUNS / name / SETTINGS).is_file()


def check_name(name: str) -> None:
    """Raise BenchmarkError if no run can have a name."""
    if not NAME.fullmatch(name):
        raise BenchmarkError(f"--name {name[:100]!r}: use up to 64 letters, digits, - and _, as it names a folder")
    if name in settings_file.load()["profiles"]:
        raise BenchmarkError(f"--name {name}: a profile has this name; choose another one")


def results(named: str) -> Path:
    """Return a folder or file of results by its path, or that of a run by its name."""
    known = is_stored(named) or named in settings_file.load()["profiles"]
    return opened(named).results if known and not Path(named).exists() else Path(named)


def _stored() -> list[Path]:
    """Return the files of the runs that are no profile's."""
    profiles = settings_file.load()["profiles"]
    return [path for path in sorted(RUNS.glob(f"*/{SETTINGS}")) if path.parent.name not in profiles]


@dataclass(frozen=True)
class Listed:
    """A run as `benchmark runs` shows it.

    Attributes:
        name: its name.
        profile: the profile that it started from.
        changes: in which settings it differs from that; what is wrong with it if it cannot be opened.
        states: how many of its artefacts have each status.
        size: bytes in its folder.
    """

    name: str
    profile: str
    changes: list[str]
    states: dict[str, int]
    size: int


def listed() -> Iterator[Listed]:
    """Yield every run that has a folder: those of profiles first."""
    profiles = settings_file.load()["profiles"]
    for name in [*(name for name in profiles if (RUNS / name).is_dir()), *(path.parent.name for path in _stored())]:
        try:
            run = opened(name)
            states = Counter(str(cell.record.get("status", "damaged")) for _, cell in made(run))
        except BenchmarkError as error:
            yield Listed(name, "", [str(error)], {}, size(RUNS / name))
            continue
        changes = []
        if run.name != run.settings.name and run.settings.name in profiles:
            changes = _changes(settings_file.profile(run.settings.name), run.settings)
        yield Listed(run.name, run.settings.name, changes, states, size(run.folder))


def _changes(base: Profile, settings: Profile) -> list[str]:
    """Return the settings in which a run differs from its profile, as `--set` takes them."""
    before, now = (_flat(each.model_dump(mode="json", exclude=settings_file.NEUTRAL)) for each in (base, settings))
    return [f"{key}={json.dumps(value)}" for key, value in now.items() if before.get(key) != value]


def _flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def size(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk; a file that others share is counted with each of them."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def check_same(run: Run) -> None:
    """Raise BenchmarkError if a run of this name is stored with other settings that change values."""
    try:
        stored = read(run.folder / SETTINGS)
    except AccessError:
        raise
    except BenchmarkError:  # there is none, or it is damaged and will be written again
        return
    before, now = (each.settings.model_dump(mode="json", exclude=settings_file.NEUTRAL) for each in (stored, run))
    if changed := difference(before, now):
        raise BenchmarkError(
            f"there is a run {run.name} of other settings ({changed}); choose another --name, or remove that run by "
            f"`benchmark clean {run.name}`"
        )


def unneeded(names: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield what no run needs: what was replaced, files that killed processes left, and the runs named.

    Raises:
        BenchmarkError: there is no run of a name, or a process works in it.
    """
    for name in dict.fromkeys(names):
        if not NAME.fullmatch(name) or not (RUNS / name).is_dir():
            raise BenchmarkError(f"there is no run {name[:100]}; `benchmark runs` lists them")
        for path in (RUNS / name / "locks").rglob("*.lock"):
            try:
                with locked(path, wait=False):
                    pass
            except Timeout:
                place = path.relative_to(RUNS / name / "locks").with_suffix("")
                raise BenchmarkError(f"a process is at work in the run {name} ({place}); stop it first") from None
        yield RUNS / name
    if (RUNS / KEPT).is_dir():
        yield RUNS / KEPT
    for part in sorted(RUNS.rglob(".*.part")):
        if time.time() - part.lstat().st_mtime > LEFT and not {RUNS / name for name in names} & {*part.parents}:
            yield part


def freed(paths: list[Path]) -> int:
    """Return the bytes that are free after files and folders are removed: those of files that no other run shares."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    return sum(file.lstat().st_size for file in files if file.lstat().st_nlink == 1)


def remove(paths: list[Path]) -> None:
    """Remove files and folders, or none of them if this user may not remove one.

    Raises:
        AccessError: a folder is of another user.
    """
    for folder in (folder for path in paths for folder in (path, *path.rglob("*")) if folder.is_dir()):
        if not folder.is_symlink() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            raise AccessError(f"{folder} may not be removed by this user; ask its owner, and nothing was removed")
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
