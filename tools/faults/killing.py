"""Killing a run at random moments and at chosen writes, and starting it again."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil  # type: ignore[import-untyped]

from tools.faults import victim
from tools.faults.project import COMMAND, NAME, start
from tools.faults.steps import Watch, stage

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
HALF_WRITTEN = "within its checkpoint"
TRAPS = {  # of a training run, in the order in which they come: what `victim.spring` sets
    HALF_WRITTEN: (victim.HALF, "run.json"),
    "before its checkpoint has its name": (victim.BEFORE, "checkpoint.pt"),
    "before its weights have their name": (victim.BEFORE, "generator.safetensors"),
    "before it is on record": (victim.SECOND, "run.json"),
    "before its checkpoint is removed": (victim.REMOVAL, "checkpoint.pt"),
}
POLL, PATIENCE = 0.005, 120  # seconds


@dataclass(frozen=True)
class Kill:
    """When and how to kill.

    Attributes:
        step: in which step.
        by: the signal.
        delay: seconds after the step began.
        trap: instead of a signal after a delay, a write of the training run that it dies at.
        isolated: whether each training run has a process of its own, which `--keep-going` gives it.
    """

    step: str
    by: signal.Signals = signal.SIGKILL
    delay: float = 0.0
    trap: str = ""
    isolated: bool = False


def plan(durations: Mapping[str, float], kills: int, seed: int, wanted: set[str]) -> list[Kill]:
    """Return kills in the order of the steps: `kills` at random moments, turn by turn in the stages `wanted`.

    One more comes at a write of each of as many training runs, turn by turn at all of TRAPS.

    Args:
        durations: the steps of an undisturbed run, and their seconds.
        kills: how many.
        seed: of the random numbers.
        wanted: stages, as `stage` names them.
    """
    random_ = random.Random(seed)
    stages = sorted(wanted)
    random_.shuffle(stages)
    chosen = [random_.choice([s for s in durations if stage(s) == stages[i % len(stages)]]) for i in range(kills)]
    counts = Counter(chosen)
    shares = {
        step: counts[step] if step.startswith("train ") else 1 for step in chosen
    }  # a training run resumes, others start from scratch
    delays = {step: 0.9 * durations[step] / shares[step] for step in chosen}
    found = [
        Kill(step, random_.choice(SIGNALS), random_.random() * delays[step], isolated=random_.random() < 1 / 3)
        for step in chosen
    ]
    trained = [step for step in durations if step.startswith("train ") and step in wanted][:kills]
    traps = list(TRAPS)
    random_.shuffle(traps)
    found += [Kill(step, trap=traps[i % len(traps)]) for i, step in enumerate(trained)]
    order, late = list(durations), ["", *TRAPS]
    return sorted(found, key=lambda kill: (order.index(kill.step), late.index(kill.trap)))


class Killer:
    """Kills the runs of one project.

    Attributes:
        hit: for every kill, the stage that it came to.
        problems: what was not as it must be, in words.
    """

    def __init__(self, project: Path, sources: Path, order: list[str]) -> None:
        self.project, self.sources, self.order = project, sources, order
        self.hit: list[str] = []
        self.problems: list[str] = []

    def strike(self, kill: Kill) -> None:
        """Start the run, kill it, and look at how it ends."""
        with (self.project / "stderr.txt").open("w+", encoding="utf-8") as stderr:
            step, how, code = self._trap(kill, stderr) if kill.trap else self._signal(kill, stderr)
            stderr.seek(0)
            said = stderr.read().strip()
        print(f"{how}: exit code {code} {said.rpartition(chr(10))[2]}".rstrip(), flush=True)
        if code == 0:
            print("    too late: the run was done")
            self.problems += [f"{how}: the run continues, and says {said[-2000:]}"] if said else []
            return
        self.hit.append(stage(step))
        self._judge(kill, how, code, said)

    def _signal(self, kill: Kill, stderr: TextIO) -> tuple[str, str, int]:
        options = ("--keep-going",) if kill.isolated else ()
        process = start(self.project, self.sources, stderr, *COMMAND, *options)
        watch = Watch(process, self.project)
        while watch.look() and not self._due(kill, watch):
            time.sleep(POLL)
        step, after = watch.step, time.monotonic() - max(watch.begun.values(), default=0.0)
        if process.poll() is None:
            send = os.killpg if kill.by == signal.SIGINT else os.kill  # Ctrl-C comes to the whole group
            send(process.pid, kill.by)
        code = process.wait(PATIENCE)
        watch.close()
        mode = "".join(f" ({option})" for option in options)
        return step, f"{kill.by.name} in {step}{mode}, {after:.2f} s after it began", code

    def _due(self, kill: Kill, watch: Watch) -> bool:
        """Return whether the moment has come, or is missed because that step is done."""
        if watch.step and self.order.index(watch.step) > self.order.index(kill.step):
            return True
        return kill.step in watch.begun and time.monotonic() - watch.begun[kill.step] >= kill.delay

    def _trap(self, kill: Kill, stderr: TextIO) -> tuple[str, str, int]:
        trap, file = TRAPS[kill.trap]
        path = f"{NAME}/models/{kill.step.removeprefix('train ')}/seed0/{file}"
        process = start(self.project, self.sources, stderr, "-m", "tools.faults.victim", trap, path, "run")
        process.communicate()
        return kill.step, f"{kill.step} {kill.trap}", process.returncode

    def _judge(self, kill: Kill, how: str, code: int, said: str) -> None:
        """Note what is wrong about an end."""
        gentle = not kill.trap and kill.by != signal.SIGKILL
        expected = (
            130 if gentle else -signal.SIGXFSZ if TRAPS.get(kill.trap, ("",))[0] == victim.HALF else -signal.SIGKILL
        )
        if code != expected:
            self.problems.append(f"{how}: exit code {code}, not {expected}")
        if "Traceback" in said or (gentle and not said.startswith("error: ")):
            self.problems.append(f"{how}: does not end with a sentence: {said[-2000:]}")
        self.problems += [f"{how}: leaves the process {left}" for left in self._left()]

    def _left(self) -> Iterator[str]:
        """Yield the processes of the run that do not end soon."""
        _, alive = psutil.wait_procs(list(self._processes()), timeout=20)
        for process in alive:
            yield " ".join(process.cmdline())
            process.kill()

    def _processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) == self.project and process.pid != os.getpid():
                    yield process
            except psutil.Error:
                continue
