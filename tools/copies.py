"""A copy of the project, so that nobody's editing disturbs what runs in it."""

import shutil
import subprocess
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.run.sources import PROJECT


def copied(folder: Path, *names: str, project: Path = PROJECT) -> Path:
    """Copy what git does not ignore to `folder`, of the `names` alone where there are any; return the folder.

    Raises:
        BenchmarkError: the project is no git repository.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *names]
    try:
        listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise BenchmarkError(f"{project} is no git repository, whose files could be copied; clone it") from None
    for name in filter(None, listed.split("\0")):
        if (project / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / name, folder / name)
    return folder
