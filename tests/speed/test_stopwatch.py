"""The stopwatch, with a clock that the actions themselves move on."""

import pytest
import torch

from tools.speed import Times, ratio, timed


class Course:
    """Actions that take the times they are given, one after the other."""

    def __init__(self, **times: list[float]) -> None:
        self.now, self.left, self.order = 0.0, times, ""

    def act(self, name: str) -> None:
        self.order += name
        self.now += self.left[name].pop(0)

    def times(self, rounds: int, longest: float = 1e9) -> dict[str, Times]:
        actions = {name: lambda name=name: self.act(name) for name in self.left}
        return timed(actions, rounds, torch.device("cpu"), lambda: self.now, longest)


def test_the_first_two_calls_do_not_count() -> None:
    course = Course(a=[1.0, 5.0, 3.0, 4.0], b=[1.0, 5.0, 9.0, 7.0])
    assert course.times(rounds=2) == {"a": [3.0, 4.0], "b": [9.0, 7.0]}
    assert course.order == "abababab"


def test_turns_are_of_similar_length() -> None:
    course = Course(a=[0.5, 0.5, 0.6, 0.7], b=[0.5, 0.25, 0.25, 0.75, 0.5, 0.1])
    found = course.times(rounds=2)
    assert course.order == "ababa" + "bb" + "a" + "bb"
    assert found["a"] == pytest.approx([0.6, 0.7])
    assert found["b"] == pytest.approx([0.5, 0.3])


def test_a_turn_need_not_be_as_long_as_a_very_slow_one() -> None:
    course = Course(a=[9.0] * 3, b=[0.5] * 4)
    assert course.times(rounds=1) == {"a": [9.0], "b": [0.5]}


def test_no_round_begins_after_the_longest_time_but_one_is_done() -> None:
    assert Course(a=[1.0, 5.0, 5.0, 3.0, 1.0]).times(rounds=9, longest=7.0) == {"a": [5.0, 3.0]}
    assert Course(a=[1.0, 5.0, 5.0]).times(rounds=9, longest=0.0) == {"a": [5.0]}


def test_the_ratio_is_the_median_of_those_of_the_rounds() -> None:
    assert ratio([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == 2.0
