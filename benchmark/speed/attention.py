"""CNC's masked attention beside windows that are cut out, and beside Global-NC."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.speed import material
from benchmark.speed.rows import Goal, Row, Section
from benchmark.speed.stopwatch import Action, Stopwatch, ratio
from benchmark.speed.unfolded import unfolded
from benchmark.workspace import Run
from models.layers.connection import NonalignmentConnection
from models.layers.plan import Plan, plan

SIZE = 224  # pixels: the paper's maps, with its channels
SIDES = (28, 56)
COPIES = 6  # of all windows, that the reference holds at once
MOST = 2  # images in a batch
SHARE = 0.5  # of the free memory
ROUNDS = 3
GOALS = {28: Goal("unfold / CNC", 5.0, least=True)}

Way = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """One map to connect, with the channels of the encoder and of the decoder."""

    side: int
    encoder: int
    decoder: int

    @property
    def radius(self) -> int:
        """The paper's r: 7 at 28, 14 at 56."""
        return self.side // 4

    @property
    def windows(self) -> int:
        """Bytes that the reference takes for one image."""
        return COPIES * 4 * self.encoder // 2 * self.side**2 * (2 * self.radius + 1) ** 2


def case(shape: Plan, side: int) -> Case:
    """Return the map of that side in the plan of a model."""
    channels = shape.channels[shape.level(side)]
    return Case(side, channels[-1], channels[0])


def measure(run: Run) -> Section:
    """Measure forward and backward on the paper's two maps.

    Raises:
        BenchmarkError: CNC and the reference disagree.
    """
    device = material.opened(run).device
    cases = [case(plan(SIZE), side) for side in SIDES]
    rows = [row(each, min(MOST, _free(device) // each.windows), device) for each in cases]
    notes = [
        "unfold cuts every window out by `torch.nn.functional.unfold`; CNC was compared with it in values and "
        f"gradients before both were timed. Numbers are medians over {ROUNDS} rounds, in float32.",
        *(f"{each.side}x{each.side}: {_missing(each)}" for each, r in zip(cases, rows, strict=True) if not _whole(r)),
    ]
    return Section("attention", f"forward and backward with the channels of {SIZE} px", rows, notes)


def row(case: Case, batch: int, device: torch.device) -> Row:
    """Measure a case; without room for a batch of the reference, the other two alone."""
    torch.manual_seed(0)
    shape = (max(1, batch), case.side, case.side)
    encoded, decoded = (torch.randn(shape[0], c, *shape[1:], device=device) for c in (case.encoder, case.decoder))
    cnc, everywhere = (
        NonalignmentConnection(case.encoder, case.decoder, case.side, radius).to(device)
        for radius in (case.radius, None)
    )
    ways: dict[str, tuple[Way, NonalignmentConnection]] = {"CNC": (cnc, cnc), "Global-NC": (everywhere, everywhere)}
    if batch:
        ways["unfold"] = partial(unfolded, cnc, radius=case.radius), cnc
        _compare(case, *(_outcome(*ways[name], encoded, decoded) for name in ("CNC", "unfold")))
    actions: dict[str, Action] = {name: partial(_outcome, *way, encoded, decoded) for name, way in ways.items()}
    times = Stopwatch(device).times(actions, ROUNDS)
    numbers = {
        "batch": shape[0],
        "milliseconds of CNC": 1e3 * median(times["CNC"]),
        "unfold / CNC": ratio(times["unfold"], times["CNC"]) if batch else None,
        "Global-NC / CNC": ratio(times["Global-NC"], times["CNC"]),
    }
    return Row(f"{case.side}x{case.side}, r {case.radius}", numbers, GOALS.get(case.side))


def _outcome(way: Way, connection: NonalignmentConnection, encoded: Tensor, decoded: Tensor) -> list[Tensor]:
    """Return the result and the gradients of both maps and of all weights."""
    inputs = [encoded.requires_grad_(), decoded.requires_grad_(), *connection.parameters()]
    connected = way(encoded, decoded)
    return [connected.detach(), *torch.autograd.grad(connected.sum(), inputs)]


def _compare(case: Case, found: list[Tensor], expected: list[Tensor]) -> None:
    for mine, other in zip(found, expected, strict=True):
        if not torch.allclose(mine, other, rtol=1e-3, atol=1e-3 * float(other.abs().max())):
            away = float((mine - other).abs().max())
            raise BenchmarkError(
                f"CNC on {case.side}x{case.side} differs from windows cut out by {away:.2g}; report this as a defect"
            )


def _free(device: torch.device) -> int:
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    return int(SHARE * free)


def _whole(row: Row) -> bool:
    return None not in row.numbers.values()


def _missing(case: Case) -> str:
    return f"unfold is left out, it takes {case.windows / 1e9:.1f} GB, more than half of the free memory."
