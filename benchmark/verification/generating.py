"""Checks of what a trained model generates, and of what is kept of it."""

import torch
from torch import Tensor, nn

from benchmark.training import checkpoint
from benchmark.verification.course import Course, trainable
from benchmark.verification.expectation import expect, first_of
from benchmark.verification.material import arguments
from benchmark.verification.trial import COUNT, Trial


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
    """What is saved in the end is all that `generate` depends on."""
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


def critics(trial: Trial) -> None:
    """Networks that only training needs are named, and exist."""
    model = trial.trained.model
    for name in model.critics:
        expect(isinstance(getattr(model, name, None), nn.Module), f"critics names {name}, but there is no such network")
    _ = trial.output
    unused = [name for name in _without_gradient(trial) if not _measured(trial, name)]
    expect(not unused, f"no output depends on {first_of(unused)}; name what only training needs in critics")


def _without_gradient(trial: Trial) -> list[str]:
    """Return the networks outside `critics` that what is generated has no gradient to."""
    model, used = trial.trained.model, trainable(trial.trained.model)
    made = model.generate(*arguments(trial.spec, COUNT))
    if not made.requires_grad or not used:
        return []  # generate hides its graph
    found = torch.autograd.grad(made.square().sum(), list(used.values()), allow_unused=True)
    names = {key.partition(".")[0] for key, g in zip(used, found, strict=True) if g is not None and bool(g.any())}
    return sorted({key.partition(".")[0] for key in used} - names)


def _measured(trial: Trial, name: str) -> bool:
    """Whether `finish` measures something with a network that `generate` then uses."""
    return not torch.equal(_finished_with(trial, name, 0.0), _finished_with(trial, name, 0.1))


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
