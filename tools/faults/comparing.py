"""Contents of a project after a run, and the differences of two of them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

TIMES = {"seconds", "peak_memory", "images_hash"}  # differ from run to run; the last holds the times of the pictures
OF_TIMES = {f"results/{name}" for name in ("report.html", *(f"figures/cost_over_accuracy.{k}" for k in ("png", "svg")))}


def contents(project: Path) -> dict[str, str]:
    """Return a hash of every file below `data`, `runs` and `results`, without the times in it.

    Left out are live logs, and locks between runs, which older versions of filelock leave behind.
    """
    files = (path for part in ("data", "runs", "results") for path in sorted((project / part).rglob("*")))
    kept = (path for path in files if path.is_file() and not {"tensorboard", ".locks"} & {*path.parts})
    return {path.relative_to(project).as_posix(): _hash(path, project) for path in kept}


def _hash(path: Path, project: Path) -> str:
    if path.relative_to(project).as_posix() in OF_TIMES:
        return "drawn from times"
    if path.name == "run.json":
        content = json.dumps(_timeless(json.loads(path.read_text(encoding="utf-8")))).encode()
    elif path.name == "costs.csv":
        content = pd.read_csv(path).drop(columns=list(TIMES), errors="ignore").to_csv().encode()
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in TIMES}
    return value


def differences(whole: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return one line for each file that is missing, left over, or not the same."""
    named = {"is missing": set(whole) - set(other), "is left over": set(other) - set(whole)}
    named["differs"] = {path for path in set(whole) & set(other) if whole[path] != other[path]}
    return [f"{path} {what}" for what, paths in named.items() for path in sorted(paths)]
