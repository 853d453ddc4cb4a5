"""A tiny model that always fails, and notes each time."""

import os
from pathlib import Path

from lightning_fabric import Fabric

from models.interface import Batches, CycleReport
from tests.tiny import Tiny


class Hopeless(Tiny):
    """Fails in its first cycle."""

    def cycle(self, batches: Batches, fabric: Fabric, progress: float) -> CycleReport:
        Path(f"hopeless.{os.getpid()}").touch()
        raise RuntimeError("hopeless")
