"""The step that a run is in, as seen from outside: by what it prints, and by the files that appear."""

import json
import re
import subprocess
import threading
import time
from pathlib import Path

import yaml

from tools.faults.project import NAME

LINES = (  # what is printed when a step begins; a step that is done already is not begun
    ("filter", r"read: "),
    ("store", r"filter: "),
    ("split", r"store: "),
    ("extractor {}", r"extractor (\w+): (?:make|resume)"),
    ("train {}", r"(\w+) seed 0: (?:make|resume)"),
    ("identity {}", r"(\w+) seed 0, \w+ split, N_c \d+: (?:make|resume)"),
    ("few-shot {}", r"(\w+) seed 0, few-shot: (?:make|resume)"),
)
STAGES = {"filter": "data", "store": "data", "split": "data"}


def stage(step: str) -> str:
    """Return what must be hit: a stage or, of training, a model."""
    return step if step.startswith("train ") else STAGES.get(step, step.split()[0])


class Watch:
    """Notes the steps of a started run.

    Attributes:
        begun: for each step, in their order, when it began.
    """

    def __init__(self, process: "subprocess.Popen[str]", project: Path) -> None:
        self.process, self.project = process, project
        self.last = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))["models"][-1]
        self.begun: dict[str, float] = {}
        self.seen_last = False
        self._facts = self._changed()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def step(self) -> str:
        """The step it is in, empty before the first."""
        return next(reversed(self.begun), "")

    def look(self) -> bool:
        """Note steps that show by files alone; return whether the run is still going."""
        if not self.begun and list(self.project.glob(f"data/.*.{self.process.pid}.part")):
            self._begin("rendering")
        if self.seen_last and "collect" not in self.begun and self._done(f"fewshot/{self.last}/seed0"):
            self._begin("collect")
        if "collect" in self.begun and self._changed() != self._facts:
            self._begin("report")
        return self.process.poll() is None

    def close(self) -> None:
        """Read what is left of the output."""
        self._reader.join()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            for step, pattern in LINES:
                if found := re.match(pattern, line):
                    self._begin(step.format(*found.groups()))
            self.seen_last |= line.startswith(f"{self.last} seed 0, few-shot: ")

    def _begin(self, step: str) -> None:
        self.begun.setdefault(step, time.monotonic())

    def _done(self, cell: str) -> bool:
        try:
            record = json.loads((self.project / "runs" / NAME / cell / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(record["status"] == "done")

    def _changed(self) -> int:
        facts = self.project / "results" / "rows" / "facts.json"
        return facts.stat().st_mtime_ns if facts.exists() else 0
