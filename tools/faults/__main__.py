"""Kill a real run again and again, and compare what it ends with to a run left alone.

    python -m tools.faults [--kills 30] [--seed 0]
    python -m tools.faults --disk [--seed 0]

Prints one line for each kill. The exit code is 1 if a byte differs, a file or process is left over, or an end was not
one sentence. With --disk the same of a small run whose disk gets full, again and again, at one write after another.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tools.copies import copied
from tools.faults.comparing import contents, differences
from tools.faults.killing import POLL, Killer, plan
from tools.faults.project import COMMAND, SOURCES, new_project, start
from tools.faults.steps import Watch, stage

APART = 5  # writes from one that fails on a full disk to the next, at most
ROUNDS = 4  # at most; what a round has missed comes in the next


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="kills at random moments (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    parser.add_argument("--disk", action="store_true", help="fill the disk instead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name).resolve()
        sources = copied(folder / "sources", *SOURCES)
        if asked.disk:
            sys.exit(fill_disk(folder, sources, asked.seed))
        problems = kill(folder, sources, asked.kills, asked.seed)
    for problem in problems:
        print(f"problem: {problem}")
    sys.exit(1 if problems else 0)


def fill_disk(folder: Path, sources: Path, seed: int) -> int:
    """Run `full_disk` with the copied sources; return its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(sources), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tools.faults.full_disk", str(folder), str(APART), str(seed)]
    return subprocess.run(command, cwd=sources, env=environment).returncode


def kill(folder: Path, sources: Path, kills: int, seed: int) -> list[str]:
    """Make a run left alone and, in rounds, runs that are killed; return what was not as it must be."""
    began = time.monotonic()
    durations = undisturbed(new_project(folder / "whole", sources), sources)
    whole = contents(folder / "whole")
    print(f"left alone: {sum(durations.values()):.0f} s in {len(durations)} steps, {len(whole)} files", flush=True)
    stages = {stage(step) for step in durations}
    hit: list[str] = []
    problems: list[str] = []
    for number in range(ROUNDS):
        missing = _missing(stages, hit, kills)
        if len(hit) >= kills and not missing:
            break
        killer = Killer(new_project(folder / f"round{number}", sources), sources, list(durations))
        for each in plan(durations, max(kills - len(hit), len(missing)), seed + number, missing or stages):
            killer.strike(each)
        problems += killer.problems + ended(killer.project, sources, whole)
        hit += killer.hit
    problems += [f"{each} was never hit" for each in sorted(_missing(stages, hit, kills))]
    counts = ", ".join(f"{name} {count}" for name, count in sorted(Counter(hit).items()))
    print(f"{len(hit)} kills in {time.monotonic() - began:.0f} s: {counts}")
    return problems


def _missing(stages: set[str], hit: list[str], kills: int) -> set[str]:
    """Return the stages that are still to be hit; with few kills not all of them have to be."""
    return stages - set(hit) if kills >= len(stages) else set()


def undisturbed(project: Path, sources: Path) -> dict[str, float]:
    """Run to the end; return the steps and the seconds that each took."""
    with (project / "stderr.txt").open("w+", encoding="utf-8") as stderr:
        process = start(project, sources, stderr, *COMMAND)
        watch = Watch(process, project)
        while watch.look():
            time.sleep(POLL)
        watch.close()
        if process.returncode:
            stderr.seek(0)
            sys.exit(f"a run left alone fails: {stderr.read()}")
    times = [*watch.begun.values(), time.monotonic()]
    return {step: after - at for step, at, after in zip(watch.begun, times, times[1:], strict=False)}


def ended(project: Path, sources: Path, whole: dict[str, str]) -> list[str]:
    """Run to the end without a kill; return how what is there differs from `whole`."""
    undisturbed(project, sources)
    found = differences(whole, contents(project))
    print(f"run to the end: {len(whole)} files, {len(found)} of them not as in the run left alone", flush=True)
    return found


if __name__ == "__main__":
    main()
