"""Checks of what a model does in training."""

import math

import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.training import checkpoint
from benchmark.verification.course import CYCLES, STOPS, Course, state_file, trainable
from benchmark.verification.expectation import FailedCheck, expect, first_of
from benchmark.verification.trial import Trial


def training(trial: Trial) -> None:
    """The training runs through, and every cycle says what it did."""
    _ = trial.run


def losses(trial: Trial) -> None:
    """Every loss is one finite number, free of its graph, and moves."""
    cycles = trial.run.cycles
    expect(all(cycle.report.losses for cycle in cycles), "a cycle reports no loss; name at least one in CycleReport")
    for number, cycle in enumerate(cycles, 1):
        for name, loss in cycle.report.losses.items():
            _loss(f"the loss {name}", loss, cycle.values[name], number)
    for name in dict.fromkeys(name for cycle in cycles for name in cycle.values):
        values = [cycle.values[name] for cycle in cycles if name in cycle.values]
        expect(
            len(values) == 1 or len(set(values)) > 1,
            f"the loss {name} is {values[0]:.6g} in every cycle; report what changes with the images and the training",
        )


def _loss(name: str, loss: object, value: float, cycle: int) -> None:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise FailedCheck(f"{name} is no tensor of one element; report its mean, such as loss.mean().detach()")
    expect(not loss.requires_grad, f"{name} still has its graph; report loss.detach()")
    expect(math.isfinite(value), f"{name} is {value} in cycle {cycle}; the harness would end the training")


def images(trial: Trial) -> None:
    """A cycle counts the real images of its generator-side updates: whole batches, and not more than it drew."""
    batch = trial.spec.batch_size
    for cycle in trial.trained.cycles:
        counted = cycle.report.images
        expect(isinstance(counted, int), f"images is a {type(counted).__name__}; count them as an int")
        expect(
            0 < counted <= cycle.drawn and counted % batch == 0,
            f"a cycle counts {counted} images after drawing {cycle.drawn} in batches of {batch}; count the images of "
            "all batches that generator-side updates used",
        )


def gradients(trial: Trial) -> None:
    """Every trainable parameter of the generator gets a gradient, and an optimiser that moves it."""
    course = trial.trained
    missing = [key for key in trainable(course.model) if key not in course.touched]
    expect(
        not missing,
        f"{first_of(missing)} got no gradient in {CYCLES} cycles; use it in a loss, freeze it, or name its network in "
        "critics if only training needs it",
    )
    expect(not course.still, f"{first_of(course.still)} got gradients but never moved; give it to an optimiser")


def resuming(trial: Trial) -> None:
    """A training that is stopped and goes on in a new process ends as one that was not stopped."""
    whole = trial.trained
    for stop in STOPS:
        rest = _resumed(trial, stop)
        for cycle, (before, now) in enumerate(zip(whole.cycles[stop:], rest.cycles, strict=True), stop + 1):
            expect(_alike(before.values, now.values), _differs(stop, f"the losses of cycle {cycle}"))
        expect(_alike(whole.state, rest.state), _differs(stop, "the weights"))


def _resumed(trial: Trial, stop: int) -> Course:
    model = trial.build(0)
    course = Course(model, trial.spec)
    try:
        checkpoint.restore(model, state_file(trial.folder, stop), torch.device("cpu"))
    except BenchmarkError as error:
        cause = " ".join(str(error.__cause__).split())[:200]
        raise FailedCheck(
            f"what was saved after cycle {stop} does not fit a new model: {cause}; create all networks in __init__ "
            "and all optimisers in setup"
        ) from error
    course.go(stop)
    return course


def _alike(first: object, second: object) -> bool:
    """Whether two mappings hold the same values, bit by bit."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_alike(first[key], second[key]) for key in first)
    return torch.equal(first, second) if isinstance(first, Tensor) and isinstance(second, Tensor) else first == second


def _differs(stop: int, what: str) -> str:
    return (
        f"stopped after cycle {stop} and gone on, {what} differ; keep all that a cycle depends on in parameters, "
        "buffers and the announced optimisers, and draw random numbers from torch only"
    )
