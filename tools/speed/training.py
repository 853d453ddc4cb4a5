"""The sections about training: what it does of what the machine can do, its feeding, and CNC's masked attention."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from benchmark.data.image_store import ImageStore
from benchmark.errors import BenchmarkError
from benchmark.evaluation.operations import deformable
from benchmark.run.workspace import Run
from benchmark.seeding import seed_global
from benchmark.training.compiling import compilable
from models.layers.connection import NonalignmentConnection
from models.layers.plan import plan
from models.registry import REFERENCE
from tools.speed import Action, Goal, Numbers, Section, opened, ratio, ready, store_of, timed

ROUNDS = 3
CYCLES = 10  # spread evenly over the budget: models change their schedule on the way
MATRICES = {"cpu": 1024, "cuda": 8192}  # their sides
PUBLISHED = 1.0  # width
UTILISED, AIMED_SIZE = Goal("utilisation", 0.6, least=True), 32  # of the reference model on a CPU, at this image size
FED = Goal("share of a step", 0.03, least=False)
SIZE, SIDES = 224, (28, 56)  # pixels of an image and of the paper's maps, with its channels
CUT_OUT = {28: Goal("unfold / CNC", 5.0, least=True)}
COPIES = 6  # of all windows, that the reference holds at once
MOST_IMAGES, SHARE = 2, 0.5  # in its batch, and of the free memory


def utilisation(run: Run) -> Section:
    """Measure a training cycle beside a product of matrices, for every model; `ours` with the published width, too."""
    training = run.settings.training
    rows: dict[str, Numbers] = {}
    goals: dict[str, Goal] = {}
    wide = run.settings.model_copy(update={"training": training.model_copy(update={"width": PUBLISHED})})
    on_cpu = opened(run).device.type == "cpu"
    with store_of(run) as store:
        for model in run.settings.models:
            widths = {model: run}
            if model == REFERENCE and training.width != PUBLISHED:
                widths[f"{model}, width {PUBLISHED:g}"] = replace(run, settings=wide)
            rows |= {name: _utilised(each, model, store) for name, each in widths.items()}
            if model == REFERENCE and run.settings.data.image_size == AIMED_SIZE and on_cpu:
                goals |= dict.fromkeys(widths, UTILISED)
    said = f"batch {training.batch_size}, width {training.width:g}, {training.precision}"
    title = f"training at {run.settings.data.image_size} px, {said}; threads: {torch.get_num_threads()}"
    note = (
        f"A cycle is the mean of {CYCLES}, spread evenly over the budget; counted are convolutions, products of "
        "matrices and attention, timed is all. Utilisation is the ratio of its operations per second to those of a "
        f"product of square matrices of the same threads and precision. Numbers are medians over {ROUNDS} rounds."
    )
    return Section(title, rows, goals, [note])


def _utilised(run: Run, model: str, store: ImageStore) -> Numbers:
    training, device = run.settings.training, opened(run).device
    operations, course = count(_course(run, model, store, False)), _course(run, model, store, training.compile)
    side = MATRICES[device.type]
    kind = torch.bfloat16 if training.precision == "bf16-mixed" else torch.float32
    first, second = torch.randn(2, side, side, device=device).to(kind)
    with compilable():
        times = timed({"course": course, "product": lambda: first @ second}, ROUNDS, device)
    return {
        "GFLOP a cycle": operations / CYCLES / 1e9,
        "seconds a cycle": median(times["course"]) / CYCLES,
        "GFLOP/s of the product": 2 * side**3 / median(times["product"]) / 1e9,
        UTILISED.quantity: operations / (2 * side**3) * ratio(times["product"], times["course"]),
    }


def _course(run: Run, model: str, store: ImageStore, compiled: bool) -> Action:
    """Return the cycles of one model as one action, the same at every call but for the weights."""
    fabric = opened(run, compiled)
    network, batches = ready(run, model, store, fabric)

    def course() -> None:
        for number in range(CYCLES):
            seed_global("speed", model, number)
            network.cycle(batches, fabric, (number + 0.5) / CYCLES)

    return course


def count(computation: Action) -> int:
    """Return the operations of a computation, forward and backward; a multiply-accumulate is two.

    Counted are convolutions, products of matrices and attention, by their shapes, as far as they are computed.
    """
    counter: Any = FlopCounterMode(display=False, custom_mapping=UNKNOWN)
    counter.mod_tracker = nullcontext()  # its own follows modules by hooks that a gradient penalty breaks
    counter.mod_tracker.parents = {"Global"}
    with counter:
        computation()
    total: int = counter.get_total_flops()
    return total


def _deformed_back(gradient: Sequence[int], image: Sequence[int], weight: Sequence[int], *_: Any, **__: Any) -> int:
    return 2 * deformable(image, weight, out_shape=gradient)  # what is convolved, and the weights


_flash: Any = torch.ops.aten._scaled_dot_product_flash_attention
_flash_backward: Any = torch.ops.aten._scaled_dot_product_flash_attention_backward
UNKNOWN: dict[Any, Any] = {  # to torch's counter
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: flop_registry[_flash].__wrapped__,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: flop_registry[_flash_backward].__wrapped__,
    torch.ops.torchvision.deform_conv2d: deformable,
    torch.ops.torchvision._deform_conv2d_backward: _deformed_back,
}


def feeding(run: Run) -> Section:
    """Measure drawing images beside a step of training."""
    fabric, training = opened(run), run.settings.training
    with store_of(run) as store:
        network, batches = ready(run, REFERENCE, store, fabric)
        actions = {"a batch": batches.draw, "a batch of pairs": batches.draw_pairs}
        times = timed({**actions, "cycle": partial(network.cycle, batches, fabric, 0.5)}, ROUNDS + 2, fabric.device)
        title = f"{training.batch_size} of {len(store.subset('auxiliary')):,} images in a mapped file"
    steps = [seconds / (1 + training.generator_steps) for seconds in times["cycle"]]
    of_a_step = {"milliseconds of a step": 1e3 * median(steps)}
    rows = {
        name: {"milliseconds": 1e3 * median(times[name]), **of_a_step, FED.quantity: ratio(times[name], steps)}
        for name in actions
    }
    note = f"A step is one of discriminator or generator of {REFERENCE}; numbers are medians over {ROUNDS + 2} rounds."
    return Section(title, rows, {"a batch": FED}, [note])


def attention(run: Run) -> Section:
    """Measure CNC beside windows that are cut out, and beside Global-NC, on the paper's two maps.

    Raises:
        BenchmarkError: CNC and the reference disagree.
    """
    device, shape = opened(run).device, plan(SIZE)
    on_gpu = device.type == "cuda"
    free = SHARE * (torch.cuda.mem_get_info(device)[0] if on_gpu else psutil.virtual_memory().available)
    rows, goals = {}, {}
    notes = [
        "unfold cuts every window out by `torch.nn.functional.unfold`; CNC was compared with it in values and "
        f"gradients before both were timed. Numbers are medians over {ROUNDS} rounds, in float32."
    ]
    for side in SIDES:
        channels, name = shape.channels[shape.level(side)], f"{side}x{side}, r {side // 4}"
        windows = COPIES * 4 * channels[-1] // 2 * side**2 * (2 * (side // 4) + 1) ** 2  # bytes for one image
        batch = min(MOST_IMAGES, int(free) // windows)
        rows[name] = attended(side, channels[-1], channels[0], batch, device)
        if not batch:
            taken = f"it takes {windows / 1e9:.1f} GB, more than half of the free memory"
            notes.append(f"{name}: unfold is left out, {taken}.")
        if side in CUT_OUT:
            goals[name] = CUT_OUT[side]
    return Section(f"forward and backward with the channels of {SIZE} px", rows, goals, notes)


def attended(side: int, encoder: int, decoder: int, batch: int, device: torch.device) -> Numbers:
    """Measure a map with so many channels; without room for a batch of the reference, the other two alone."""
    torch.manual_seed(0)
    shape = (max(1, batch), side, side)
    maps = [torch.randn(shape[0], channels, *shape[1:], device=device) for channels in (encoder, decoder)]
    cnc, everywhere = (NonalignmentConnection(encoder, decoder, side, r).to(device) for r in (side // 4, None))
    actions = {"CNC": partial(_outcome, cnc, cnc, *maps), "Global-NC": partial(_outcome, everywhere, everywhere, *maps)}
    if batch:
        actions["unfold"] = partial(_outcome, partial(unfolded, cnc, radius=side // 4), cnc, *maps)
        for mine, other in zip(actions["CNC"](), actions["unfold"](), strict=True):
            if not torch.allclose(mine, other, rtol=1e-3, atol=1e-3 * float(other.abs().max())):
                what, away = f"CNC on {side}x{side}", float((mine - other).abs().max())
                raise BenchmarkError(f"{what} differs from windows cut out by {away:.2g}; report this as a defect")
    times = timed(actions, ROUNDS, device)
    return {
        "batch": shape[0],
        "milliseconds of CNC": 1e3 * median(times["CNC"]),
        "unfold / CNC": ratio(times["unfold"], times["CNC"]) if batch else None,
        "Global-NC / CNC": ratio(times["Global-NC"], times["CNC"]),
    }


def _outcome(
    way: Callable[[Tensor, Tensor], Tensor], connection: NonalignmentConnection, encoded: Tensor, decoded: Tensor
) -> list[Tensor]:
    """Return the result and the gradients of both maps and of all weights."""
    inputs = [encoded.requires_grad_(), decoded.requires_grad_(), *connection.parameters()]
    connected = way(encoded, decoded)
    return [connected.detach(), *torch.autograd.grad(connected.sum(), inputs)]


def unfolded(connection: NonalignmentConnection, encoded: Tensor, decoded: Tensor, radius: int) -> Tensor:
    """Return what `connection` does for X (B, C_X, H, W) and Y (B, C_Y, H, W), every window cut out as in Eq. 1."""
    width, batch, positions = 2 * radius + 1, len(decoded), decoded.shape[2] * decoded.shape[3]

    def windows(x: Tensor) -> Tensor:
        return F.unfold(x, width, padding=radius).reshape(batch, -1, width**2, positions)

    query = connection.query(decoded).flatten(2).unsqueeze(2)  # (B, C_h, 1, H W)
    key, value = windows(connection.key(encoded)), windows(connection.value(encoded))  # (B, C_h, window, H W)
    inside = windows(torch.ones_like(encoded[:, :1])) > 0
    logits = (query * key).sum(1, keepdim=True).masked_fill(~inside, -torch.inf)  # (B, 1, window, H W)
    z = (logits.softmax(2) * value).sum(2)
    return torch.cat([decoded, z.reshape(batch, -1, *decoded.shape[2:])], 1)
