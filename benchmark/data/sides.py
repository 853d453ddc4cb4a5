"""Estimation of the side of a car in photographs, learned without labels from rendered cars and the photographs.

A photograph is described by d = HOG(x) - HOG(mirror image of x) and judged by the score w.d, which is above zero for
the left side. Whatever the weights w are, the mirror image has the same score with the other sign. Each kind of
photograph (side, front-side, rear-side) has weights of its own. They are first fitted to rendered cars; then, round by
round, to those photographs whose scores are farthest from zero, with the sides that the scores give them
(self-training). Sheared copies are fitted too: in a box stretched to a square, a camera held at an angle is a vertical
shear, and a tilted car would else be surely wrong and confirm itself.

All numbers here were chosen on photographs of cars with known azimuths; `docs/sides.md` has what they give.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.nn import functional

from benchmark.data.pictures import MOST_PIXELS, Pixels, decode
from benchmark.errors import BenchmarkError

Floats = NDArray[np.float32]
Signs = NDArray[np.int8]  # 1: left, -1: right, 0: not known

SQUARE, INNER = 64, 48  # pixels: sides of the grey square that is kept of a photograph, and of what the HOG gets of it
WIDENED = 0.05  # share of the box's sides added on each side
CELL, BINS, CLIP = 6, 18, 0.4  # pixels of a cell's side, orientations in 180 degrees, largest value
CELLS = INNER // CELL
SIZE = CELLS * CELLS * BINS  # length of d
AT_ONCE = 256  # photographs whose gradients are held at once

SHEARS = (0.0, -0.2, 0.2)
ROUNDS = (  # of self-training: number of SHEARS, and share of the photographs that is fitted
    *((1, share) for share in (0.5, 0.6, 0.7, 0.8, 0.9)),
    *((3, share) for share in (0.8, 0.9, 0.95, 0.97, 0.97)),  # with shears from the start it can go astray
)
PENALTY = 140.0  # C of the logistic regression, times the number of its rows
HAND = 20.0  # weight of a photograph whose side was given by hand; any other has 1
MODELS, SCENES, RENDERED = 12, 10, 96  # rendered cars, pictures of each, and their long side in pixels
START = {  # view of the rendered cars, and how far they are turned from its centre in degrees
    "side": ("left", -35.0, 35.0),  # CompCars: up to 35 degrees off the profile
    "front-side": ("front_left", -10.0, 41.0),  # from 35 to 86 degrees
    "rear-side": ("rear_left", -25.0, 25.0),
}


def square(path: Path, box: Sequence[float]) -> Pixels:
    """Return what a box shows, a little widened, as a grey square of shape (SQUARE, SQUARE).

    Args:
        path: of the image; a JPEG file is decoded no larger than needed, which is several times faster.
        box: x0, y0, x1, y1 in pixels of the upright image from 0, right and lower edges exclusive.

    Raises:
        BenchmarkError: the image cannot be read, or the box lies outside of it.
    """
    x0, y0, x1, y1 = box
    grey, scale = None, 1.0
    with suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # `decode` says what is wrong
        if path.is_file():
            with Image.open(path, formats=["JPEG"]) as picture:
                width, height = picture.size
                if width * height <= MOST_PIXELS:
                    needed = SQUARE / min(x1 - x0, y1 - y0)
                    picture.draft("L", (int(width * needed), int(height * needed)))
                    scale = picture.width / width
                    grey = ImageOps.exif_transpose(picture).convert("L")
    if grey is None:
        grey, scale = Image.fromarray(decode(path)).convert("L"), 1.0
    more, higher = WIDENED * (x1 - x0), WIDENED * (y1 - y0)
    left, right = max(0.0, scale * (x0 - more)), min(grey.width, scale * (x1 + more))
    top, bottom = max(0.0, scale * (y0 - higher)), min(grey.height, scale * (y1 + higher))
    if left >= right or top >= bottom:
        raise BenchmarkError(f"{path}: the box {[x0, y0, x1, y1]} lies outside the image")
    return np.asarray(grey.resize((SQUARE, SQUARE), Image.Resampling.BICUBIC, (left, top, right, bottom)))


def hog(images: torch.Tensor) -> torch.Tensor:
    """Return histograms of oriented gradients (Dalal and Triggs, CVPR 2005) of shape (n, CELLS, CELLS, BINS).

    The bins lie so that a mirror image has the same numbers elsewhere: bin b is around 180 b / BINS degrees, and goes
    to bin -b mod BINS of the column counted from the other end. A gradient is shared between the two nearest bins; a
    cell is divided by the root of the mean energy of the 3 x 3 cells around it.

    Args:
        images: grey values from 0 to 1 of shape (n, INNER, INNER).
    """
    padded = functional.pad(images.sqrt()[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across, down = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    strength = torch.hypot(across, down).flatten(1)
    angle = torch.atan2(down, across).flatten(1) * (BINS / torch.pi)  # in bins
    lower = angle.floor()
    share, lower = angle - lower, lower.long()
    line = torch.arange(INNER) // CELL
    cell = (line[:, None] * CELLS + line).flatten() * BINS
    cells = torch.zeros(len(images), SIZE)
    cells.scatter_add_(1, cell + lower % BINS, strength * (1 - share))
    cells.scatter_add_(1, cell + (lower + 1) % BINS, strength * share)
    cells = cells.view(-1, CELLS, CELLS, BINS)
    energy = functional.avg_pool2d(cells.square().sum(3)[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    return (cells / (energy.sqrt()[..., None] + 1e-3)).clamp(max=CLIP)


def describe(squares: Pixels, shears: int = len(SHEARS)) -> Floats:
    """Return d of shape (shears, n, SIZE) for squares of shape (n, SQUARE, SQUARE), each sheared by the first SHEARS.

    A shear s maps (x, y) to (x, y + s x), with x and y from -1 to 1; beyond the border it is repeated.
    """
    found = np.empty((shears, len(squares), SIZE), np.float32)
    for begin in range(0, len(squares), AT_ONCE):
        part = torch.as_tensor(squares[begin : begin + AT_ONCE]).float().div(255)[:, None]
        for number, shear in enumerate(SHEARS[:shears]):
            affine = torch.tensor([[1.0, 0.0, 0.0], [shear, 1.0, 0.0]]).expand(len(part), 2, 3)
            grid = functional.affine_grid(affine, [len(part), 1, INNER, INNER], align_corners=False)
            seen = hog(functional.grid_sample(part, grid, padding_mode="border", align_corners=False)[:, 0])
            mirrored = seen.flip(2)[..., -torch.arange(BINS) % BINS]
            found[number, begin : begin + len(part)] = (seen - mirrored).flatten(1)
    return found


def start(kind: str) -> Floats:
    """Return the weights (SIZE,) that rendered cars give for a kind of photograph."""
    from rendered_cars.draws import generator
    from rendered_cars.folder import render_views
    from rendered_cars.roster import roster
    from rendered_cars.scene import draw

    view, low, high = START[kind]
    scenes = []
    for entry in roster(MODELS, 0):
        for number in range(SCENES):
            rng = generator("sides", kind, entry.model, number)
            scenes.append({**asdict(entry), **asdict(replace(draw(rng), turn=float(rng.uniform(low, high))))})
    squares = []
    for _, _, picture, (x0, y0, x1, y1) in render_views(pd.DataFrame(scenes), [view], RENDERED, 0, workers=1):
        height, width = picture.shape[:2]
        box = (max(0, x0), max(0, y0), min(width, x1), min(height, y1))
        grey = Image.fromarray(picture).convert("L")
        squares.append(np.asarray(grey.resize((SQUARE, SQUARE), Image.Resampling.BICUBIC, box)))
    return _fit(describe(np.stack(squares), 1), np.ones(len(squares), np.int8), np.ones(len(squares)))


def _fit(rows: Floats, signs: Signs, importance: NDArray[np.float64]) -> Floats:
    """Return the weights (SIZE,) of a logistic regression without intercept, for rows (shears, n, SIZE)."""
    from sklearn.linear_model import LogisticRegression

    copies, rows = len(rows), rows.reshape(-1, SIZE)
    wanted = np.where(np.arange(len(rows)) % 2, 1, -1)  # mirroring some changes nothing, and gives two classes
    flips = np.tile(signs, copies) * wanted
    model = LogisticRegression(C=PENALTY / len(rows), fit_intercept=False, max_iter=1000)
    model.fit(rows * flips[:, None].astype(np.float32), wanted, np.tile(importance, copies))
    return np.asarray(model.coef_[0], np.float32)


@dataclass(frozen=True)
class Judges:
    """The classifiers for photographs of one kind.

    Attributes:
        weights: two of shape (2, SIZE), each fitted without one half of the car models, which it is to judge.
        agreement: share of the photographs whose side is that of the start.
    """

    weights: Floats
    agreement: float

    def judge(self, squares: Pixels, half: NDArray[np.int64]) -> tuple[Signs, NDArray[np.float64]]:
        """Return side and confidence (0.5 .. 1) of n squares, of car models in the half 0 or 1.

        The confidence is the mean over the shears of the probability that the logistic regression gives to the side.
        """
        logits = (describe(squares) @ self.weights.T)[:, np.arange(len(squares)), half].astype(np.float64)
        signs = np.where(logits.mean(0) > 0, 1, -1).astype(np.int8)
        return signs, np.maximum(0.5, (1 / (1 + np.exp(-logits * signs))).mean(0))


def learn(squares: Pixels, half: NDArray[np.int64], hand: Signs, begin: Floats) -> Judges:
    """Train on photographs of one kind.

    Args:
        squares: of shape (n, SQUARE, SQUARE).
        half: 0 or 1 for the half of the car models that each belongs to, of shape (n,); both occur.
        hand: sides given by hand, which stay as they are; 0 for all others, of shape (n,).
        begin: weights (SIZE,) to start from.
    """
    described = describe(squares)
    importance = np.where(hand == 0, 1.0, HAND)
    weights, signs = begin, hand
    for shears, share in ROUNDS:
        scores = (described[:shears] @ weights).mean(0)
        signs = np.where(hand == 0, np.where(scores > 0, 1, -1), hand).astype(np.int8)
        sure = (np.abs(scores) >= np.quantile(np.abs(scores), 1 - share)) | (hand != 0)
        weights = _fit(described[:shears, sure], signs[sure], importance[sure])
    agreement = float(((described[0] @ begin > 0) == (signs > 0)).mean())
    others = [half != each for each in (0, 1)]
    return Judges(np.stack([_fit(described[:, own], signs[own], importance[own]) for own in others]), agreement)
