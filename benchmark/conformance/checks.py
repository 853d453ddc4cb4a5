"""The checks. Each is a function that gets a trial and raises where the contract is not kept.

All run on the CPU, so a model that needs more fails.
"""

import math

import torch
from torch import Tensor, nn

from benchmark.conformance.material import arguments
from benchmark.conformance.trial import COUNT, CYCLES, STOPS, Course, FailedCheck, Trial, expect, state_file, trainable
from benchmark.errors import BenchmarkError
from benchmark.training import checkpoint
from models.capacity import Kind, parameters, sized, tolerance
from models.interface import ModelSpec, WarmStart
from models.registry import BUILT_IN, REFERENCE, find

SIZES = ((32, 5, 0.125), (32, 5, 0.25), (32, 5, 0.5), (64, 5, 0.5), (96, 9, 1.0), (224, 5, 1.0))  # pixels, views, width


def first_of(names: list[str]) -> str:
    """Return the first of several names, and how many more there are."""
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


# a model that is built


def building(trial: Trial) -> None:
    """The file can be imported and the model be built."""
    _ = trial.built


def description(trial: Trial) -> None:
    """A line says which method it is; a built-in model also says where it is published and how it is trained."""
    expect(trial.entry.summary not in ("", "-"), "there is no docstring; say in its first line which method this is")
    for name in ("citation", "labels", "updates"):
        value = getattr(trial.model, name)
        expect(isinstance(value, str), f"{name} is a {type(value).__name__}; make it a string")
        expect(bool(value) or trial.entry.name not in BUILT_IN, f"{name} is empty; say it in one line")


def connection_map(trial: Trial) -> None:
    """The model can be built on the meta device, and says there where its connection is."""
    place: object = trial.shape.map
    good = isinstance(place, str) and (place in ("-", "all") or place.isdigit())
    expect(good, f'map is {place!r}; return a text: the side in pixels, "all" or "-"')


def size(trial: Trial) -> None:
    """A model that asks for a fitted width gets one whose generator is as large as the reference's."""
    if not trial.shape.fitted:
        return
    kind: Kind = trial.model
    reference: Kind = find(REFERENCE).load()
    for pixels, views, width in SIZES:
        of = ModelSpec(pixels, views, identities=2, width=width)
        share = parameters(kind, sized(trial.model, of)) / parameters(reference, of) - 1
        expect(
            abs(share) <= tolerance(pixels),
            f"at {pixels} px and width {width} the fitted generator is {share:+.0%} of {REFERENCE}'s size away; let "
            "every number of channels grow with spec.width, in small steps",
        )


def warm_start(trial: Trial) -> None:
    """The network that is trained on real images first is the one that training begins with."""
    terms = trial.built.warm_start
    if terms is None:
        return
    expect(isinstance(terms, WarmStart), f"warm_start is a {type(terms).__name__}; make it a WarmStart")
    name = terms.network
    own = getattr(trial.model(sized(trial.model, trial.spec)), name, None)
    if not isinstance(own, nn.Module):
        raise FailedCheck(f"warm_start names {name}, but there is no such network")
    network = trial.model.warm_start_network(trial.spec)
    expect(isinstance(network, nn.Module), f"warm_start_network returns a {type(network).__name__}; return a network")
    shapes = [{key: value.shape for key, value in each.state_dict().items()} for each in (network, own)]
    expect(
        shapes[0] == shapes[1], f"warm_start_network returns another network than {name}; build both in the same way"
    )
    with torch.no_grad():
        logits = network(arguments(trial.spec, COUNT)[0])
    found = [None if each is None else tuple(each.shape) for each in logits] if isinstance(logits, tuple) else []
    identities, views = trial.spec.identities, trial.spec.views
    identity, view = found[:2] if len(found) > 1 else (None, None)
    known = identity is None or (identity[0] == COUNT and identity[-1] >= identities)
    expect(
        identity != view and known and view in (None, (COUNT, views)),
        f"for {COUNT} images {name} returns tensors of shapes {found}; return a tuple that begins with logits of the "
        f"identity ({COUNT}, {identities} or more) and of the view ({COUNT}, {views}); one of the two can be None",
    )


# what it does in training


def training(trial: Trial) -> None:
    """The training run completes, and every cycle says what it did."""
    _ = trial.run


def losses(trial: Trial) -> None:
    """Every loss is one finite number, free of its graph, and moves."""
    cycles = trial.run.cycles
    expect(all(cycle.report.losses for cycle in cycles), "a cycle reports no loss; name at least one in CycleReport")
    moved: dict[str, list[float]] = {}
    for number, cycle in enumerate(cycles, 1):
        for name, loss in cycle.report.losses.items():
            value = cycle.values[name]
            if not isinstance(loss, Tensor) or loss.numel() != 1:
                raise FailedCheck(
                    f"the loss {name} is no tensor of one element; report its mean, such as loss.mean().detach()"
                )
            expect(not loss.requires_grad, f"the loss {name} still has its graph; report loss.detach()")
            expect(
                math.isfinite(value),
                f"the loss {name} is {value} in cycle {number}; the harness would end the run",
            )
            moved.setdefault(name, []).append(value)
    for name, values in moved.items():
        expect(
            len(values) == 1 or len(set(values)) > 1,
            f"the loss {name} is {values[0]:.6g} in every cycle; report what changes with the images and the weights",
        )


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
        "training_only if only training needs it",
    )
    expect(not course.still, f"{first_of(course.still)} got gradients but never moved; give it to an optimiser")


def resuming(trial: Trial) -> None:
    """A training run that is stopped and resumed in a new process ends as one that was not stopped."""
    whole = trial.trained
    for stop in STOPS:
        model = trial.build(0)
        rest = Course(model, trial.spec)
        try:
            checkpoint.restore(model, state_file(trial.folder, stop), torch.device("cpu"))
        except BenchmarkError as error:
            cause = " ".join(str(error.__cause__).split())[:200]
            raise FailedCheck(
                f"what was saved after cycle {stop} does not fit a new model: {cause}; create all networks in __init__ "
                "and all optimisers in setup"
            ) from error
        rest.go(stop)
        pairs = enumerate(zip(whole.cycles[stop:], rest.cycles, strict=True), stop + 1)
        compared = [(f"the losses of cycle {cycle}", before.values, now.values) for cycle, (before, now) in pairs]
        for what, first, second in [*compared, ("the weights", whole.state, rest.state)]:
            expect(
                _alike(first, second),
                f"stopped after cycle {stop} and gone on, {what} differ; keep all that a cycle depends on in "
                "parameters, buffers and the announced optimisers, and draw random numbers from torch only",
            )


def _alike(first: object, second: object) -> bool:
    """Return whether two mappings hold the same values, bit by bit."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_alike(first[key], second[key]) for key in first)
    return torch.equal(first, second) if isinstance(first, Tensor) and isinstance(second, Tensor) else first == second


# what it generates, and what is kept of it


def output(trial: Trial) -> None:
    """`generate` returns images: shape, type and range are right."""
    _ = trial.output


def repeatability(trial: Trial) -> None:
    """The arguments alone decide what `generate` returns."""
    _ = trial.repeated


def input_image(trial: Trial) -> None:
    """Another image is turned to another image."""
    first = trial.repeated
    image, code, noise = arguments(trial.spec, COUNT)
    other = trial.generate(trial.trained.model, -image, code, noise)
    expect(not torch.equal(first, other), "generate gives the same for every input image; use `image`")


def batches(trial: Trial) -> None:
    """An image is turned in the same way alone and together with others."""
    model, together = trial.trained.model, trial.repeated
    image, code, noise = (part[:, None] for part in arguments(trial.spec, COUNT))  # a batch of one for each image
    alone = torch.cat([trial.generate(model, *one) for one in zip(image, code, noise, strict=True)])
    away = float((together - alone).abs().max())
    expect(
        torch.allclose(together, alone, rtol=1e-4, atol=1e-5),
        f"alone, an image differs by up to {away:.2g} from the same one in a batch; in eval mode use stored statistics",
    )


def interpolation(trial: Trial) -> None:
    """Codes between the views are accepted."""
    _ = trial.output
    image, _, noise = arguments(trial.spec, count=3)
    codes = torch.tensor([[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0.3, 0.7], [0.2] * 5])
    trial.generate(trial.trained.model, image, codes, noise)


def weights(trial: Trial) -> None:
    """`generate` depends on nothing but what is saved in the end."""
    before, model, fresh = trial.repeated, trial.trained.model, trial.build(1).eval()
    other = sorted(model.state_dict().keys() ^ fresh.state_dict().keys())
    expect(not other, f"a new model has other weights: {first_of(other)}; create all networks and buffers in __init__")
    kept = trial.folder / "weights.safetensors"
    checkpoint.save_weights(model, kept)
    checkpoint.load_weights(fresh, kept)
    after = trial.generate(fresh, *arguments(trial.spec, COUNT))
    expect(
        torch.equal(before, after),
        "in a new model the saved weights give other images; keep what generate depends on in parameters or buffers",
    )


def training_only(trial: Trial) -> None:
    """Networks that only training needs are named, and exist."""
    model = trial.trained.model
    for name in model.training_only:
        there = isinstance(getattr(model, name, None), nn.Module)
        expect(there, f"training_only names {name}, but there is no such network")
    _ = trial.output
    used, made = trainable(model), model.generate(*arguments(trial.spec, COUNT))
    if not made.requires_grad or not used:
        return  # generate hides its graph
    found = torch.autograd.grad(made.square().sum(), list(used.values()), allow_unused=True)
    reached = {key.partition(".")[0] for key, g in zip(used, found, strict=True) if g is not None and bool(g.any())}
    unreached = sorted({key.partition(".")[0] for key in used} - reached)
    # `finish` can measure something with a network that `generate` then uses
    unused = [name for name in unreached if torch.equal(*(_finished_with(trial, name, by) for by in (0.0, 0.1)))]
    expect(not unused, f"no output depends on {first_of(unused)}; name what only training needs in training_only")


def _finished_with(trial: Trial, name: str, change: float) -> Tensor:
    """Return what is generated after `finish` with random changes of a network's weights."""
    course = Course(trial.build(0), trial.spec)
    course.model.load_state_dict(trial.trained.state)
    torch.manual_seed(0)
    with torch.no_grad():
        for key, parameter in trainable(course.model).items():
            if key.partition(".")[0] == name:
                parameter.add_(change * torch.randn_like(parameter))
    course.finish()
    return trial.generate(course.model.eval(), *arguments(trial.spec, COUNT))
