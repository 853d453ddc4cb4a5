"""The start of a stage: `python -m pipelines.<stage> --profile NAME`."""

import re
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from benchmark.config import settings
from benchmark.environment import use_threads
from benchmark.errors import BenchmarkError
from benchmark.exits import clean_exit
from benchmark.run.workspace import Run, run_of_profile


def start(stage: Callable[[Run], None]) -> None:
    """Run `stage` on the profile that the command line names."""
    with clean_exit():
        run = run_of_profile(settings.profile(argument("profile")))
        check_links(run)
        use_threads(run.settings.threads)
        stage(run)


def check_links(run: Run) -> None:
    """Refuse folders that DVC would refuse, but only after all is made in them.

    Raises:
        BenchmarkError: the folder of the run or its results leads out of the git repository.
    """
    configs = (path.read_text(encoding="utf-8") for path in Path(".dvc").glob("config*") if path.is_file())
    if not Path(".git").exists() or any(re.search(r"(?m)^\s*no_scm\s*=\s*true\b", text) for text in configs):
        return
    for folder in (run.folder, run.results):
        if not folder.resolve().is_relative_to(Path.cwd()):
            raise BenchmarkError(
                f"{folder} leads out of the project, to {folder.resolve()}, and DVC records there only without git: "
                "`dvc config --local core.no_scm true`, or put the folder itself here; `benchmark run` needs neither"
            )


def argument(option: str) -> str:
    """Return what the command line says by `--option VALUE`; without it the program ends."""
    parser = ArgumentParser()
    parser.add_argument(f"--{option}", required=True)
    value: str = getattr(parser.parse_known_args()[0], option)
    return value
