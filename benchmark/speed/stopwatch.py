"""Seconds of actions that take turns, so that a busy machine slows all of them alike."""

import time
from collections.abc import Callable, Mapping

import torch

Action = Callable[[], object]
Clock = Callable[[], float]

ROUNDS = 5
LONGEST = 60.0  # seconds after which no further round begins


class Stopwatch:
    """Measures what actions take on a device.

    Args:
        device: a GPU is waited for before the clock is read.
        clock: returns seconds.
    """

    def __init__(self, device: torch.device, clock: Clock = time.perf_counter) -> None:
        self.device, self.clock = device, clock

    def seconds(self, action: Action) -> float:
        """Return what one call takes."""
        start = self._now()
        action()
        return self._now() - start

    def best(self, actions: Mapping[str, Action], rounds: int = ROUNDS, longest: float = LONGEST) -> dict[str, float]:
        """Return the shortest time of each action: first each is called for nothing, then all in turn, `rounds` times.

        No round begins when `longest` seconds have gone by, but one is done.
        """
        for action in actions.values():
            action()
        start, best = self.clock(), dict.fromkeys(actions, float("inf"))
        for number in range(rounds):
            if number and self.clock() - start > longest:
                break
            for name, action in actions.items():
                best[name] = min(best[name], self.seconds(action))
        return best

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()
