"""Turning images with a trained generator."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.cells import RECORD, Cell
from benchmark.data.images import crop, decode
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError
from benchmark.evaluation import turners
from benchmark.files import replacing
from benchmark.reporting import samples
from benchmark.reporting.samples import sample_positions, save_columns, turned
from benchmark.reporting.tiles import Tiles
from benchmark.stages import train
from benchmark.stages.data import open_store
from benchmark.training import checkpoint, loop
from benchmark.training.sampling import to_float
from benchmark.training.turning import turned as drawn
from benchmark.workspace import Run
from models.interface import ModelSpec, ViewModel

ROWS = 8  # of the grid of standard images
PART = 64  # images of a folder that are turned at once; their grid shows the first part
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".jp2"}


def sample_images(run: Run, model: str, seed: int, source: Path | None, output: Path) -> list[Path]:
    """Write a grid of inputs and all views; return the files written.

    Without `source` the inputs are images of the standard set. With it they are the images of that folder, whole and
    not cropped to a box; the grid shows the first of them, and each view of each is written on its own, as
    `<name>_<view>.png`.

    Raises:
        BenchmarkError: the model is not trained, the folder holds no image or an unreadable one, or one of them would
            be overwritten.
    """
    device = open_fabric(run.device).device
    network = load_generator(run, model, seed, device)
    grid = output / f"{model}_seed{seed}.png"
    if source is None:
        views = run.settings.data.views
        store = open_store(run)
        positions = sample_positions(store, len(views), ROWS)
        turner = turners.trained(network, store, len(views), device)
        save_columns(turned(turner, store, len(views), positions), grid)
        return [grid]
    return list(_turn_folder(run, network, source, grid))


def load_generator(run: Run, model: str, seed: int, device: torch.device) -> ViewModel:
    """Return a trained generator in evaluation mode, built as its record says."""
    folder = run.folder / "models" / model / f"seed{seed}"
    record = Cell(folder, {}).record
    if record.get("status") != "done":
        raise BenchmarkError(f"{folder} holds no trained generator; run `benchmark run --model {model}` first")
    spec = _spec(folder, record)
    settings = run.settings.data
    if (spec.image_size, spec.views) != (settings.image_size, len(settings.views)):
        raise BenchmarkError(
            f"{folder} was trained for {spec.views} views of {spec.image_size} px, the settings ask for "
            f"{len(settings.views)} of {settings.image_size} px; train again or set them back"
        )
    network = train.entry(run, model).load()(spec)
    checkpoint.load_weights(network, loop.Files(folder).weights)
    return network.to(device).to(memory_format=torch.channels_last).eval()


def _spec(folder: Path, record: dict[str, Any]) -> ModelSpec:
    try:
        return ModelSpec(**record["fingerprint"]["spec"])
    except (KeyError, TypeError):
        raise BenchmarkError(f"{folder / RECORD} is damaged; delete {folder} and train again") from None


def _turn_folder(run: Run, network: ViewModel, source: Path, grid: Path) -> Iterator[Path]:
    settings, files = run.settings.data, _pictures(source)
    targets = [[grid.with_name(f"{path.stem}_{view}.png") for view in settings.views] for path in files]
    _check_targets([grid, *chain(*targets)], files)
    for start in range(0, len(files), PART):
        rows = slice(start, start + PART)
        squares = np.stack([crop(decode(path), None, settings) for path in files[rows]])
        columns = [to_float(squares), *drawn(network, to_float(squares))]
        if start == 0:
            save_columns(columns, grid)
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


def _pictures(source: Path) -> list[Path]:
    if not source.is_dir():
        raise BenchmarkError(f"{source} is no folder; --input must name a folder of images")
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in PICTURES)
    if not files:
        raise BenchmarkError(
            f"{source} holds no image ({', '.join(sorted(PICTURES))}); --input must name a folder of some"
        )
    stems = Counter(path.stem for path in files)
    twice = [path for path in files if stems[path.stem] > 1]
    if twice:
        raise BenchmarkError(f"{twice[0]} and {twice[1]} would be written to the same files; rename one of them")
    return files
