"""Sizes of the models with a profile's settings: `benchmark models --size`."""

from collections.abc import Mapping

from benchmark.config.settings import Profile, validated
from benchmark.data import manifest, splitting
from benchmark.errors import BenchmarkError
from benchmark.reporting import references
from benchmark.reporting.models import size, size_lines
from benchmark.run.workspace import run_of_profile
from models.interface import ModelSpec
from models.registry import REFERENCE, Entry

FEWEST = 2  # identities that discriminators are counted for where the number is not known


def describe(models: Mapping[str, Entry], settings: Profile, image_size: int | None = None) -> str:
    """Return a table of the models' sizes, with what it counts.

    Args:
        models: the models by name.
        settings: the profile, which gives views, width and identities.
        image_size: side of the images; default: the profile's.

    Raises:
        BenchmarkError: the image size is wrong, so that the reference model cannot be built.
    """
    chosen = _with_size(settings, image_size) if image_size else settings
    known = identities(settings)
    data, width = chosen.data, chosen.training.width
    base = ModelSpec(data.image_size, len(data.views), known or FEWEST, width)
    reference = size(models[REFERENCE], base)
    if isinstance(reference, str):
        raise BenchmarkError(f"the model {REFERENCE} cannot be built: {reference}")
    sizes = {name: reference if name == REFERENCE else size(entry, base) for name, entry in models.items()}
    title = f"Profile {settings.name} at {data.image_size} px: {len(data.views)} views, width {width:g}"
    lines = size_lines(sizes, reference)
    return "\n".join([title, "", *lines, "", *_notes(known)])


def _with_size(settings: Profile, image_size: int) -> Profile:
    values = settings.model_dump()
    values["data"]["image_size"] = image_size
    return validated(values, "--size", settings.name)


def _notes(known: int | None) -> list[str]:
    heads = f"{known} identities" if known else f"{FEWEST} identities: how many train is known after `benchmark run`"
    return [
        "width          multiplies the published channels; fitted models have their own, for a generator as large as "
        f"that of {REFERENCE}",
        "generator      trainable parameters",
        f"discriminator  trainable parameters that only training needs, for {heads}",
        "MACs           multiply-accumulates of one generated image, in convolutions, dense layers and attention",
    ]


def identities(settings: Profile) -> int | None:
    """Return the number N_i of identities that train with a profile, None if only the data can tell.

    A whole number in `data.auxiliary` says it, less those for validation. A share does not, and own images may
    prescribe their split: then the split of the profile's run says it, if there is one. Before that a share is one of
    the paper's identities, where the paper has the data set.
    """
    auxiliary = settings.data.auxiliary
    if isinstance(auxiliary, int) and not settings.data.own:
        return auxiliary - splitting.validation_size(auxiliary, settings.data)
    stored = run_of_profile(settings).data / "split.parquet"
    if stored.exists():
        return int(manifest.read(stored)["identity_label"].max()) + 1
    paper = references.identities(settings.data.dataset)
    if not paper:
        return None
    auxiliary, _ = splitting.sizes(settings.data, sum(paper))
    return auxiliary - splitting.validation_size(auxiliary, settings.data)
