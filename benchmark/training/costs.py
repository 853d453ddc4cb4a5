"""Time and memory of a training run."""

import time
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch


@dataclass(frozen=True)
class Costs:
    """Costs of a training run so far.

    Attributes:
        seconds: wall time, live logs included; over all parts of an interrupted training, up to their checkpoints.
        peak_memory: bytes; on a GPU the most that tensors took at once, on the CPU the highest resident memory of the
            process at the rows of the log.
    """

    seconds: float = 0.0
    peak_memory: int = 0


class Meter:
    """Measures the costs from its making on, on top of those of the parts before an interruption."""

    def __init__(self, device: torch.device, before: Costs) -> None:
        self.device, self.before, self.peak = device, before, before.peak_memory
        self.start = time.perf_counter()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def read(self) -> Costs:
        """Return the costs so far."""
        if self.device.type == "cuda":
            memory = torch.cuda.max_memory_allocated(self.device)
        else:
            memory = int(psutil.Process().memory_info().rss)
        self.peak = max(self.peak, memory)
        return Costs(round(self.before.seconds + time.perf_counter() - self.start, 3), self.peak)
