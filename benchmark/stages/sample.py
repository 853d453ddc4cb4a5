"""Turning images with a trained generator."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmark.cells import Cell
from benchmark.data.images import crop, decode
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError
from benchmark.evaluation import turners
from benchmark.files import replacing
from benchmark.reporting.samples import sample_positions, save_columns, turned
from benchmark.stages import train
from benchmark.stages.data import open_store
from benchmark.training import checkpoint, loop
from benchmark.training.sampling import to_float, to_uint8
from benchmark.training.turning import turned as drawn
from benchmark.workspace import Run
from models.interface import ModelSpec, ViewModel

ROWS = 8  # of the grid
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".jp2"}


def sample_images(run: Run, model: str, seed: int, source: Path | None, output: Path) -> list[Path]:
    """Write a grid of inputs and all views; return the files written.

    Without `source` the inputs are images of the standard set. With it they are the images of that folder, whole and
    not cropped to a box, and each view of each is also written on its own, as `<name>_<view>.png`.

    Raises:
        BenchmarkError: the model is not trained, or the folder holds no readable image.
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
    spec = ModelSpec(**record["fingerprint"]["spec"])
    settings = run.settings.data
    if (spec.image_size, spec.views) != (settings.image_size, len(settings.views)):
        raise BenchmarkError(
            f"{folder} was trained for {spec.views} views of {spec.image_size} px, the settings ask for "
            f"{len(settings.views)} of {settings.image_size} px; train again or set them back"
        )
    network = train.entry(run, model).load()(spec)
    checkpoint.load_weights(network, loop.Files(folder).weights)
    return network.to(device).to(memory_format=torch.channels_last).eval()


def _turn_folder(run: Run, network: ViewModel, source: Path, grid: Path) -> Iterator[Path]:
    settings = run.settings.data
    files = _pictures(source)
    squares = np.stack([crop(decode(path), None, settings) for path in files])
    columns = [to_float(squares), *drawn(network, to_float(squares))]
    save_columns(columns, grid)
    yield grid
    for view, images in zip(settings.views, columns[1:], strict=True):
        for path, image in zip(files, to_uint8(images), strict=True):
            target = grid.parent / f"{path.stem}_{view}.png"
            with replacing(target) as temporary:
                Image.fromarray(image).save(temporary, "PNG")
            yield target


def _pictures(source: Path) -> list[Path]:
    if not source.is_dir():
        raise BenchmarkError(f"{source} is no folder; --input must name a folder of images")
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in PICTURES)
    if not files:
        raise BenchmarkError(
            f"{source} holds no image ({', '.join(sorted(PICTURES))}); --input must name a folder of some"
        )
    stems = [path.stem for path in files]
    twice = [path for path in files if stems.count(path.stem) > 1]
    if twice:
        raise BenchmarkError(f"{twice[0]} and {twice[1]} would be written to the same files; rename one of them")
    return files
