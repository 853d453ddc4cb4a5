"""Turning images with a trained generator."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.data import tree
from benchmark.data.image_store import open_store
from benchmark.data.pictures import Pixels, crop, decode
from benchmark.data.pixels import to_float
from benchmark.data.tiles import Tiles
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError, shown
from benchmark.evaluation import samples
from benchmark.evaluation.generate import Positions, generate_views, pixel_keys
from benchmark.evaluation.samples import save_columns
from benchmark.files import replacing
from benchmark.making import trained
from benchmark.run.artifacts import Artifact
from benchmark.run.cells import RECORD, Cell
from benchmark.run.workspace import Run
from benchmark.stages import pretrained
from models.interface import ModelSpec, ViewModel

INPUT = "input"
PART = 64  # images of a folder that are turned at once; their grid shows the first part
EARLIER = {"critic_width": "discriminator_width"}  # names in the records of earlier training runs
LITTER = {"thumbs.db", "desktop.ini"}  # systems put them beside images, as they do files that begin with a dot


def sample_images(run: Run, model: str, seed: int, source: Path | None, output: Path) -> list[Path]:
    """Write a grid of inputs and all views; return the files written.

    Without `source` the inputs are images of the standard set. With it they are the images of that folder and its
    subfolders, whole and not cropped to a box; the grid shows the first of them, and each view of each is written on
    its own, as `<name>_<view>.png` in the same subfolder.

    Raises:
        BenchmarkError: there is no trained generator, the folder holds no image or an unreadable one, or one of them
            would be overwritten.
    """
    network, found, stored = load(run, model, seed)
    grid = output / f"{model}_seed{seed}.png"
    if source is None:
        squares, keys, names = _standard_images(run, found, stored)
        save_columns(_columns(network, squares, keys), grid, [INPUT, *run.settings.data.views], names)
        return [grid]
    return list(_turn_folder(run, network, source, grid))


def load(run: Run, model: str, seed: int) -> tuple[ViewModel, Path, bool]:
    """Return the generator that the run has trained, or else that which comes with stored results, and say which.

    Returns:
        The generator in evaluation mode, its folder, and whether it comes with stored results.

    Raises:
        BenchmarkError: there is neither, or it is damaged or of other settings.
    """
    found, stored = _found(run, model, seed)
    return trained.load(run, model, found, _spec(run, found), open_fabric(run.device).device), found, stored


def _found(run: Run, model: str, seed: int) -> tuple[Path, bool]:
    """Return the folder of the generator that the run has trained, or else of that which comes with stored results.

    Returns:
        The folder, and whether it comes with stored results.

    Raises:
        BenchmarkError: there is neither, or it is damaged or of other settings.
    """
    own = Artifact("generator", model, seed).cell(run)
    if own.record.get("status") == "done":
        print(f"{model} seed {seed}: the generator trained in {own.folder}")
        return own.folder, False
    missing = f"{own.folder} holds no trained generator"
    results = pretrained.reference(run)
    stored = pretrained.folder(model, seed, results)
    if run.name == run.settings.name and stored.exists():  # a run of another name has other settings
        reason = pretrained.unusable(run, model, seed, results)
        if not reason:
            print(f"{model} seed {seed}: not trained in {run.folder}; the generator that comes in {stored}")
            return stored, True
        missing += f", and that in {stored} cannot be used ({reason})"
    raise BenchmarkError(f"{missing}; run `{run.training(model, seed)}` first")


def _spec(run: Run, folder: Path) -> dict[str, Any]:
    """Return what a generator is built for, from what is recorded of its training run."""
    try:
        recorded = {EARLIER.get(name, name): value for name, value in Cell(folder).record["spec"].items()}
        found = ModelSpec(**recorded)
    except (AttributeError, KeyError, TypeError):
        raise BenchmarkError(f"{folder / RECORD} is damaged; delete {folder} and train again") from None
    wanted = run.settings.data.image_size, len(run.settings.data.views)
    if (found.image_size, found.views) != wanted:
        raise BenchmarkError(
            f"{folder} was trained for {found.views} views of {found.image_size} px, the settings ask for "
            f"{wanted[1]} of {wanted[0]} px; train again or set them back"
        )
    return asdict(found)


def _standard_images(run: Run, folder: Path, stored: bool) -> tuple[Pixels, Positions, list[str]]:
    """Return images of the standard set, their positions in the manifest, and their identities where known."""
    if stored:
        return *pretrained.inputs(folder, run.settings.data.image_size), []
    store = open_store(run)
    positions = samples.sample_positions(store, len(run.settings.data.views), pretrained.SHOWN)
    return store.at(positions), positions, store.manifest["identity"].iloc[positions].tolist()


def _columns(network: ViewModel, squares: Pixels, keys: Positions) -> list[torch.Tensor]:
    """Return the inputs and, for each view, the outputs: tensors (N, 3, S, S) in [-1, 1]."""
    return [to_float(squares), *generate_views(network, to_float(squares), keys)]


def _turn_folder(run: Run, network: ViewModel, source: Path, grid: Path) -> Iterator[Path]:
    settings, files = run.settings.data, _pictures(source, grid.parent)
    places = [grid.parent / path.parent.relative_to(source) for path in files]
    targets = [
        [place / f"{path.stem}_{view}.png" for view in settings.views]
        for place, path in zip(places, files, strict=True)
    ]
    _check_targets([grid, *chain(*targets)], files)
    for start in range(0, len(files), PART):
        rows = slice(start, start + PART)
        squares = np.stack([crop(decode(path), None, settings.image_size, settings.margin) for path in files[rows]])
        columns = _columns(network, squares, pixel_keys(squares))
        if start == 0:
            names = [path.relative_to(source).as_posix() for path in files[rows]]
            save_columns(columns, grid, [INPUT, *settings.views], names)
            yield grid
        for images, paths in zip(samples.tiles(columns[1:]), targets[rows], strict=True):
            yield from _write(images, paths)


def _write(images: Tiles, paths: list[Path]) -> Iterator[Path]:
    for image, path in zip(images, paths, strict=True):
        with replacing(path) as temporary:
            Image.fromarray(image).save(temporary, "PNG")
        yield path


def _check_targets(targets: list[Path], files: list[Path]) -> None:
    """Refuse to write over an input, or twice to one file."""
    twice = next((path for path, count in Counter(targets).items() if count > 1), None)
    if twice:
        raise BenchmarkError(f"{twice} would be written for two images; rename one of them")
    inputs = {path.resolve() for path in files}
    over = next((path for path in targets if path.resolve() in inputs), None)
    if over:
        raise BenchmarkError(f"{over} is one of the images to be turned and would be lost; choose another --output")


def _pictures(source: Path, output: Path) -> list[Path]:
    """Return the images of a folder and its subfolders, but for hidden files and those below `output`."""
    if not source.is_dir():
        raise BenchmarkError(f"{source} is no folder; --input must name a folder of images")
    found = [path for path in sorted(source.rglob("*")) if path.is_file()]
    hidden = [path for path in found if any(part.startswith(".") for part in path.relative_to(source).parts)]
    litter = [*hidden, *(path for path in found if path.name.lower() in LITTER)]
    if litter:
        print(f"{source}: passed over {len(litter)} files of the system, such as {shown(litter[0].name)}")
    inside = output.resolve() if output.resolve() != source.resolve() else None
    found = [path for path in found if path not in litter and inside not in path.resolve().parents]
    files = [path for path in found if tree.is_picture(path.name)]
    if others := [path for path in found if not tree.is_picture(path.name)]:
        print(f"{source}: passed over {len(others)} files with other endings, such as {shown(others[0].name)}")
    if not files:
        raise BenchmarkError(
            f"{source} holds no image ({', '.join(tree.PICTURES)}); --input must name a folder of some"
        )
    stems = Counter(path.with_suffix("") for path in files)
    twice = [path for path in files if stems[path.with_suffix("")] > 1]
    if twice:
        raise BenchmarkError(f"{twice[0]} and {twice[1]} would be written to the same files; rename one of them")
    return files
