"""Left or right for the images of CompCars, estimated and written to `sides.csv`: the command sides."""

import warnings
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from benchmark import seeding
from benchmark.data import annotations, compcars, sides
from benchmark.data.images import in_threads
from benchmark.data.pictures import Pixels, crop, decode
from benchmark.environment import use_threads
from benchmark.errors import BenchmarkError
from benchmark.files import replacing, write_text

KINDS = {3: "side", 4: "front-side", 5: "rear-side"}  # by the viewpoint of a label
MOST = 3000  # images of a kind that are learned from
FEWEST = 20  # below which nothing can be learned
AGREED = 0.85  # share of sides that are those of the start; where it is lower, self-training has gone astray
ENOUGH = 20  # sides by hand of a kind, with which it does not
LEVELS = (0.6, 0.7, 0.8)  # of confidence, for counting
SUREST = 0.9999  # confidence of an estimate; that of a side by hand is 1
CHUNK = 512  # images judged at once
TILE, CAPTION, COLUMNS = 160, 16, 10  # of the contact sheet: pixels of an image and of its caption, images in a row


class Judged(NamedTuple):
    """Sides found for one kind of images."""

    rows: pd.DataFrame  # image, box, side, confidence (1: by hand)
    agreement: float  # see `sides.Judges`
    by_hand: int
    right: int  # of those by hand, as estimated without them
    unread: list[str]  # why images cannot be used


def estimate(
    root: Path, labels: Sequence[Path], output: Path | None, sheet: Path | None, review: int, rear: bool
) -> None:
    """Write the side of every image that shows one and how sure it is, and the least certain ones for review.

    Args:
        root: folder of CompCars.
        labels: CSV files of sides by hand: `image` and `side`, or `azimuth_deg` (left: below 90 or above 270).
        output: CSV to write; default: `sides.csv` beside `image/`.
        sheet: PNG of the least certain images, which are also listed in a CSV beside it; default: `sides_review.png`
            beside the output, with a number where the CSV of that name is one of the labels.
        review: how many images that is.
        rear: whether rear-side images are wanted, too.

    Raises:
        BenchmarkError: the input is wrong, or would be overwritten; or self-training has gone astray, where the images
            to label are written and nothing else.
    """
    use_threads(1)  # last digits must not depend on the cores; images are decoded on two threads all the same
    base = compcars.base_of(root)
    output, sheet = _places(base, labels, output, sheet)
    listing = sheet.with_suffix(".csv")
    hand = _by_hand(labels)
    labelled = ((image, label) for image, label in compcars.labelled(root) if label)
    wanted = [viewpoint for viewpoint in KINDS if rear or viewpoint != 5]
    found = [(image, KINDS[view], box) for image, (view, *box) in labelled if view in wanted]
    images = pd.DataFrame(found, columns=["image", "kind", "box"])
    if images.empty:
        raise BenchmarkError(f"{base / 'label'} has no side or front-side images; --data-root must be that of CompCars")
    images["hand"] = images["image"].map(hand).fillna(0).astype(np.int8)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what is wrong with an image is said below
        judged = {str(kind): _judge(base / "image", str(kind), own) for kind, own in images.groupby("kind")}
    for kind, (rows, agreement, by_hand, right, _) in judged.items():
        below = ", ".join(f"{(rows['confidence'] < level).sum():,} below {level}" for level in LEVELS)
        left = (rows["side"] == "left").mean()
        print(f"{kind}: {len(rows):,} images, {left:.1%} left; confidence: {below}")
        print(f"  {agreement:.1%} have the side that rendered cars alone give")
        if by_hand:
            print(f"  {by_hand:,} by hand, of which {right / by_hand:.1%} were estimated right without them")
    others = len(hand) - int((images["hand"] != 0).sum())
    if others:
        print(f"{others:,} labels by hand are of images that are not among these, and were not used")
    unread = [reason for each in judged.values() for reason in each.unread]
    if unread:
        print(f"{len(unread):,} images cannot be used and get no side, the first: {unread[0]}")

    rows = pd.concat([each.rows for each in judged.values()]).sort_values("image", ignore_index=True)
    shown = rows[rows["confidence"] < 1].sort_values(["confidence", "image"]).head(review)
    astray = [kind for kind, each in judged.items() if each.agreement < AGREED and each.by_hand < ENOUGH]
    if astray:  # the confidence says nothing then, and images drawn at random tell more
        doubtful = (judged[kind].rows for kind in astray)
        shown = pd.concat([own[own["confidence"] < 1].sample(frac=1, random_state=0).head(ENOUGH) for own in doubtful])
    shown = shown.assign(number=np.arange(1, len(shown) + 1))
    _write_sheet(base / "image", shown, sheet)
    _write(shown[["number", "image", "side", "confidence"]], listing)
    if astray:
        raise BenchmarkError(
            f"{' and '.join(astray)}: fewer than {AGREED:.0%} of the images have the side that rendered cars give, so "
            f"no sides are written; look at the {len(shown)} images of {sheet}, correct the column side of "
            f"{listing}, and call the command again with --labels {listing}"
        )
    _write(rows[["image", "side", "confidence"]], output)
    print(f"sides: {output}; least certain: {sheet}, and {listing} to correct and pass as --labels")


def _places(base: Path, labels: Sequence[Path], output: Path | None, sheet: Path | None) -> tuple[Path, Path]:
    """Return where sides and contact sheet go, and refuse to overwrite what was made by hand."""
    given = {path.resolve() for path in labels}
    output = output or base / "sides.csv"
    free = (output.with_name(f"{output.stem}_review{number}.png") for number in ("", *range(2, len(given) + 3)))
    sheet = sheet or next(path for path in free if path.with_suffix(".csv").resolve() not in given)
    if sheet.suffix != ".png":
        raise BenchmarkError(f"--sheet {sheet}: it is a PNG; give it a name that ends in .png")
    for path in (output, sheet.with_suffix(".csv")):
        if path.resolve() in given:
            raise BenchmarkError(f"{path} has labels by hand and would be overwritten; choose another name")
        if not path.parent.is_dir():
            raise BenchmarkError(f"{path.parent} is no folder; make it, or choose another place for {path.name}")
    if output.resolve() == sheet.with_suffix(".csv").resolve():
        raise BenchmarkError(f"{output} would hold both the sides and those to review; choose another --sheet")
    if output.exists() and "confidence" not in annotations.read(output, ["image", "side"]):
        raise BenchmarkError(f"{output} has no column confidence, so it was made by hand; rename it or give --output")
    return output, sheet


def _by_hand(labels: Sequence[Path]) -> dict[str, int]:
    """Return the sides in CSV files by image (1: left, -1: right)."""
    hand: dict[str, int] = {}
    for path in labels:
        if not path.is_file():
            raise BenchmarkError(f"{path} does not exist; --labels names a CSV of images and their sides")
        frame = annotations.read(path, ["image"])
        if "side" in frame or "azimuth_deg" not in frame:
            frame = annotations.read(path, ["image", "side"])
            annotations.refuse(path, frame["side"], ~frame["side"].isin(["left", "right"]), "is neither left nor right")
            left = frame["side"] == "left"
        else:
            azimuth = annotations.numbers(path, frame["azimuth_deg"]) % 360
            left = (azimuth < 90) | (azimuth > 270)
        images = frame["image"].str.removeprefix("image/")
        seen = images.duplicated() | images.isin(hand)
        annotations.refuse(path, images, seen, "has a label already; remove one of the two")
        hand |= dict(zip(images, np.where(left, 1, -1).tolist(), strict=True))
    return hand


def _judge(folder: Path, kind: str, images: pd.DataFrame) -> Judged:
    """Learn from at most MOST images of a kind, those by hand among them, and judge all of them."""
    half = pd.factorize(images["image"].str.rsplit("/", n=2).str[0], sort=True)[0] % 2  # by make and model
    hand = images["hand"].to_numpy()
    items = [(folder / image, box) for image, box in zip(images["image"], images["box"], strict=True)]

    def square(item: tuple[Path, list[float]]) -> Pixels | str:
        try:
            return sides.square(*item)
        except BenchmarkError as error:
            return str(error)

    order = seeding.rng("sides", kind).permutation(len(images))
    sample = np.sort(order[np.argsort(hand[order] == 0, kind="stable")][:MOST])
    print(f"{kind}: learning from {len(sample):,} images, then judging {len(images):,}")
    read = {place: each for place, each in zip(sample, in_threads(square, [items[k] for k in sample]), strict=True)}
    sample = np.array([place for place, each in read.items() if not isinstance(each, str)], dtype=np.int64)
    if len(sample) < FEWEST or len(set(half[sample])) < 2:
        reason = next((f" ({each})" for each in read.values() if isinstance(each, str)), "")
        raise BenchmarkError(
            f"{folder} has {len(sample)} {kind} images that can be used{reason}, but left and right are learned from "
            f"{FEWEST} or more of two or more car models; write the sides into sides.csv by hand"
        )
    squares, own, known = np.stack([read[place] for place in sample]), half[sample], hand[sample]
    begin = sides.start(kind)
    right = 0
    if known.any():
        without, _ = sides.learn(squares, own, np.zeros_like(known), begin).judge(squares, own)
        right = int((without == known)[known != 0].sum())
    judges = sides.learn(squares, own, known, begin)

    signs, confidence = np.zeros(len(images), np.int8), np.full(len(images), np.nan)
    unread = []
    results = enumerate(in_threads(square, items))
    while chunk := list(islice(results, CHUNK)):
        unread += [each for _, each in chunk if isinstance(each, str)]
        usable = {place: each for place, each in chunk if not isinstance(each, str)}
        if usable:
            places = np.array(list(usable))
            signs[places], confidence[places] = judges.judge(np.stack(list(usable.values())), half[places])
    signs = np.where(hand == 0, signs, hand)
    confidence = np.where(hand == 0, np.minimum(confidence.round(4), SUREST), confidence * 0 + 1)
    rows = images.assign(side=np.where(signs > 0, "left", "right"), confidence=confidence).dropna(subset="confidence")
    return Judged(rows, judges.agreement, int((known != 0).sum()), right, unread)


def _write_sheet(folder: Path, rows: pd.DataFrame, path: Path) -> None:
    """Write a picture of images with number, side and confidence below each."""
    lines = -(-len(rows) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE, max(1, lines) * (TILE + CAPTION)), "white")
    draw = ImageDraw.Draw(sheet)
    for place, row in enumerate(rows.to_dict("records")):
        x, y = place % COLUMNS * TILE, place // COLUMNS * (TILE + CAPTION)
        sheet.paste(Image.fromarray(crop(decode(folder / row["image"]), row["box"], TILE, sides.WIDENED)), (x, y))
        draw.text((x + 2, y + TILE), f"{row['number']}  {row['side']}  {row['confidence']:.2f}", "black")
    with replacing(path) as temporary:
        sheet.save(temporary, "PNG")


def _write(table: pd.DataFrame, path: Path) -> None:
    write_text(path, table.to_csv(index=False, float_format="%.4f", lineterminator="\n"))
