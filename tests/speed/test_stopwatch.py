"""The stopwatch, with a clock that the actions themselves move on."""

import torch

from benchmark.speed.stopwatch import Stopwatch


class Course:
    """Actions that take the times they are given, one after the other."""

    def __init__(self, **times: list[float]) -> None:
        self.now, self.times, self.order = 0.0, times, ""

    def act(self, name: str) -> None:
        self.order += name
        self.now += self.times[name].pop(0)

    def best(self, rounds: int, longest: float = 1e9) -> dict[str, float]:
        watch = Stopwatch(torch.device("cpu"), lambda: self.now)
        return watch.best({name: lambda name=name: self.act(name) for name in self.times}, rounds, longest)


def test_the_first_call_is_free_and_the_best_of_the_rounds_counts() -> None:
    course = Course(a=[1.0, 5.0, 3.0, 4.0], b=[1.0, 8.0, 9.0, 7.0])
    assert course.best(rounds=3) == {"a": 3.0, "b": 7.0}
    assert course.order == "abababab"


def test_no_round_begins_after_the_longest_time_but_one_is_done() -> None:
    assert Course(a=[1.0, 5.0, 3.0, 1.0]).best(rounds=9, longest=7.0) == {"a": 3.0}
    assert Course(a=[1.0, 5.0]).best(rounds=9, longest=0.0) == {"a": 5.0}
