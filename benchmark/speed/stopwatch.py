"""Seconds of actions that take turns, so that a busy machine slows all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import torch

Action = Callable[[], object]
Clock = Callable[[], float]
Times = Sequence[float]  # seconds of a call, one for each round

ENOUGH = 1.0  # seconds that a turn need not exceed
LONGEST = 60.0  # seconds after which no further round begins


class Stopwatch:
    """Measures what actions take on a device.

    Args:
        device: a GPU is waited for before the clock is read.
        clock: returns seconds.
    """

    def __init__(self, device: torch.device, clock: Clock = time.perf_counter) -> None:
        self.device, self.clock = device, clock

    def times(self, actions: Mapping[str, Action], rounds: int, longest: float = LONGEST) -> dict[str, Times]:
        """Return what a call of each action takes in each round.

        At first each action is called for nothing, then once to see how often it is to be called in its turn: so often
        that it takes as long as the slowest, or ENOUGH. An action that others cut into loses as much as the next one
        then. No round begins when `longest` seconds have gone by, but one is done.
        """
        for action in actions.values():
            action()
        single = {name: self._seconds(action, 1) for name, action in actions.items()}
        turn = min(ENOUGH, max(single.values()))
        calls = {name: max(1, round(turn / max(seconds, 1e-6))) for name, seconds in single.items()}
        start, found = self.clock(), {name: list[float]() for name in actions}
        for number in range(rounds):
            if number and self.clock() - start > longest:
                break
            for name, action in actions.items():
                found[name].append(self._seconds(action, calls[name]) / calls[name])
        return {**found}

    def _seconds(self, action: Action, calls: int) -> float:
        start = self._now()
        for _ in range(calls):
            action()
        return self._now() - start

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()


def ratio(times: Times, others: Times) -> float:
    """Return the median over the rounds of what one action takes over what another does."""
    return median(one / other for one, other in zip(times, others, strict=True))
