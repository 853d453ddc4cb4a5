"""A tiny model that can be held in a cycle, and that notes which process has begun which cycle."""

import os
import signal
import time
from pathlib import Path

from lightning_fabric import Fabric

from models.interface import Batches, CycleReport
from tests.tiny import Tiny

GATES = Path("gates")  # `<cycle>` in it: hold every process there; `<cycle>.<process>`: that process is there


class Pausing(Tiny):
    """Waits in each cycle for which there is a gate, until that is removed or the process is asked to end."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        gate = GATES / str(round(progress * self.spec.images / self.spec.batch_size) + 1)
        if GATES.is_dir():
            gate.with_name(f"{gate.name}.{os.getpid()}").touch()
        while gate.exists() and not asked_to_end():
            time.sleep(0.05)
        return super().cycle(batches, fabric, progress)


def asked_to_end() -> bool:
    stop = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(stop, "asked", False))
