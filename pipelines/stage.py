"""How a stage is started: `python -m pipelines.<stage> --profile NAME`."""

from argparse import ArgumentParser
from collections.abc import Callable

from benchmark.config import settings
from benchmark.environment import use_threads
from benchmark.exits import clean_exit
from benchmark.run.workspace import Run, run_of_profile


def start(stage: Callable[[Run], None]) -> None:
    """Run `stage` on the profile that the command line names."""
    with clean_exit():
        run = run_of_profile(settings.profile(argument("profile")))
        use_threads(run.settings.threads)
        stage(run)


def argument(option: str) -> str:
    """Return what the command line says by `--option VALUE`; without it the program ends."""
    parser = ArgumentParser()
    parser.add_argument(f"--{option}", required=True)
    value: str = getattr(parser.parse_known_args()[0], option)
    return value
