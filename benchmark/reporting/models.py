"""Description and size of the models, one row for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
import torch

from benchmark.evaluation.operations import image_macs
from benchmark.results.rows import MODEL_COLUMNS, SIZE_COLUMNS
from models.capacity import discriminator_parameters, generator_parameters, sized
from models.interface import ModelSpec
from models.registry import REFERENCE, Entry, UnknownModelError


@dataclass(frozen=True)
class Size:
    """The size of a model.

    Attributes:
        map: side of the feature map that its connection sits on, or `-`.
        width: what multiplies the published numbers of channels; a fitted model has its own.
        generator_parameters: trainable parameters of everything that is not for training only.
        discriminator_parameters: those of the rest; heads for the identity grow with the number of identities.
        macs: multiply-accumulates of one generated image, counted as `evaluation.operations` says.
    """

    map: str
    width: float
    generator_parameters: int
    discriminator_parameters: int
    macs: int


def size(entry: Entry, base: ModelSpec) -> Size | str:
    """Build a model for `base`, a fitted one at its own width; return its size, or why there is none."""
    try:
        model_class = entry.load()
        spec = sized(model_class, base)
        with torch.random.fork_rng(devices=[]):  # whoever asks keeps his random numbers
            model = model_class(spec)
            macs = image_macs(model)
        return Size(model.map, spec.width, generator_parameters(model), discriminator_parameters(model), macs)
    except (Exception, SystemExit) as error:  # a user's model can fail in any way
        kind = "" if isinstance(error, UnknownModelError | ValueError) else f"{type(error).__name__}: "
        return " ".join(f"{kind}{error}".split())


def models_table(models: Iterable[Entry], base: ModelSpec) -> pd.DataFrame:
    """Return one row for each model, in the order given; the size is missing of a model that cannot be built.

    Args:
        models: where the models are found.
        base: image size, views, identities and width that all share; other settings do not change a size.
    """
    rows = []
    for entry in models:
        found = size(entry, base)
        sizes = vars(found) if isinstance(found, Size) else {"map": "-"}
        if isinstance(found, str):
            print(f"{entry.name}: no size in the table, it cannot be measured: {found}")
        rows.append({"model": entry.name, "image_size": base.image_size, **vars(entry.card), **sizes})
    return pd.DataFrame(rows, columns=MODEL_COLUMNS).astype({"width": float, **dict.fromkeys(SIZE_COLUMNS, "Int64")})


def size_lines(sizes: Mapping[str, Size | str], reference: Size) -> list[str]:
    """Return a table for reading, each model with its size or the reason why there is none."""
    name = max(map(len, sizes)) + 2
    sizes_of = f"{'generator':>13}{f'vs {REFERENCE}':>11}{'discriminator':>15}{'MACs':>13}"
    lines = [f"{'model':{name}}{'map':>4}{'width':>8}{sizes_of}"]
    for model, found in sizes.items():
        cells = f"cannot be measured: {found}"
        if isinstance(found, Size):
            more = found.generator_parameters / reference.generator_parameters - 1
            generator = f"{found.map:>4}{found.width:8.3f}{found.generator_parameters:13,}{more:+11.1%}"
            cells = f"{generator}{found.discriminator_parameters:15,}{found.macs / 1e6:11,.1f} M"
        lines.append(f"{model:{name}}{cells}")
    return lines
