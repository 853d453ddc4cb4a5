"""Record with DVC what `benchmark run` has made of the active profile, so that `dvc repro` finds nothing left to do.

With `--check` it says before that run what would keep DVC from it. Otherwise call it only after `benchmark run` has
ended well for the whole profile: DVC takes what lies there for up to date.
"""

import subprocess  # nosec B404: words, no shell
import sys

from benchmark.config import settings
from benchmark.errors import BenchmarkError
from benchmark.exits import clean_exit
from benchmark.run.workspace import run_of_profile
from pipelines.stage import check_links


def record() -> int:
    """Make the empty folders of what the profile leaves out, and call `dvc commit`; return its exit code."""
    run = run_of_profile(settings.profile())
    check_links(run)
    if "--check" in sys.argv[1:]:
        return 0
    if not (run.results / "rows").is_dir():
        raise BenchmarkError(f"{run.results} holds no results yet; call `benchmark run` first")
    for outcome in ("warm_starts", "fewshot", *(f"models/{model}" for model in settings.load()["models"])):
        (run.folder / outcome).mkdir(parents=True, exist_ok=True)
    return subprocess.call([sys.executable, "-m", "dvc", "commit", "--force", "--quiet"])  # nosec B603


if __name__ == "__main__":
    with clean_exit():
        sys.exit(record())
