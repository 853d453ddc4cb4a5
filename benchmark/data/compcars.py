"""CompCars: photographs of cars by make, model and year, with viewpoint and box.

`image/<make_id>/<model_id>/<year>/<name>.jpg`, `label/` with the same path and `.txt`, `misc/make_model_name.mat` and
`sides.csv`, in the root or in its folder `data`. A label has three lines: viewpoint, number of boxes, and the box
`x1 y1 x2 y2` in pixels counted from 1, both ends included. CompCars does not say which side of a car is seen;
`sides.csv` (columns image, relative to `image/`, and side, `left` or `right`) supplies it; of a path there, its last
four parts count, without the ending. It may have a column confidence, from 0.5 to 1, as that of `benchmark sides` has.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.config.settings import Data
from benchmark.config.values import CONTROL
from benchmark.data import annotations, manifest, tree
from benchmark.data.manifest import Reading
from benchmark.errors import BenchmarkError

MAT = Path("misc", "make_model_name.mat")
NAMES = ("make_names", "model_names")  # cell arrays of texts
UNCERTAIN = -1
VIEWS = {1: "front", 2: "rear", 3: "{side}", 4: "front_{side}", 5: "rear_{side}"}
MALFORMED = "with a malformed label"
LONGEST = 200  # bytes; no label is as long
TOLERATED = 0.01  # share of malformed labels beyond which the data set itself is at fault
Label = tuple[int, int, int, int, int]  # viewpoint and box

LABEL = re.compile(rb"(-1|[1-5])[ \t]*\r?\n\d{1,3}[ \t]*\r?\n" + rb"[ \t]+".join([rb"(-?\d{1,6})"] * 4) + rb"\s*")


def read(settings: Data, root: Path) -> Reading:
    """Return the images of certain view; the group of an image is its `<make_id>/<model_id>/<year>`.

    Raises:
        BenchmarkError: a folder, `sides.csv` or the names are missing, more than 1 % of the labels are malformed,
            `sides.csv` names no image that is there, or a file lies outside.
    """
    base = base_of(root)
    prefix = (base.relative_to(root) / "image").as_posix()
    images = _images(base / "image")
    sides, notes = _sides(settings, base, images)
    side_of = dict(zip(sides.index, sides["side"], strict=True))
    unsure = set(sides.index[sides["confidence"] < settings.side_confidence])
    tree.check([(base.relative_to(root) / MAT).as_posix()], root)
    names = _Names(base / MAT)
    rows: list[dict[str, object]] = []
    dropped: Counter[str] = Counter()
    malformed, sided = "", []
    for key, image, label in _labelled(root, base, images):
        make, model, year, _ = image.split("/")
        view, reason = _view(label, side_of.get(key), settings)
        if view is not None and key in side_of and "{side}" in VIEWS[label[0] if label else 0]:
            sided.append(key)
            if key in unsure:
                view, reason = None, f"whose side has a confidence below {settings.side_confidence:g}"
        if label is None or view is None:
            dropped[reason] += 1
            malformed = malformed or (str(base / "label" / f"{key}.txt") if reason == MALFORMED else "")
            continue
        identity, group = names.identity(make, model), f"{make}/{model}/{year}"
        rows.append(
            {"image": f"{prefix}/{image}", "identity": identity, "view": view, "box": list(label[1:]), "group": group}
        )
    if dropped[MALFORMED] > TOLERATED * len(images):
        raise BenchmarkError(
            f"{dropped[MALFORMED]} of {len(images)} images have a malformed label: {malformed} is no label; expected "
            "three lines: viewpoint (-1 or 1 to 5), number of boxes, and x1 y1 x2 y2 in whole pixels with x1 < x2 and "
            "y1 < y2"
        )
    estimated = _estimated(sides["confidence"].loc[sided], settings)
    return Reading(manifest.build(rows), dict(dropped), notes, estimated)


def base_of(root: Path) -> Path:
    """Return the folder that holds `image/` and `label/`: the root or its folder `data`.

    Raises:
        BenchmarkError: there is none.
    """
    base = next((base for base in (root, root / "data") if (base / "image").is_dir()), None)
    if base is None:
        raise BenchmarkError(f"{root} has neither image nor data/image; data.root must be the folder of CompCars")
    if not (base / "label").is_dir():
        raise BenchmarkError(f"{base / 'label'} is missing; CompCars has its labels there, beside image")
    return base


def labelled(root: Path) -> Iterator[tuple[str, Label | None]]:
    """Yield each image, relative to `image/` and sorted, with its label as `_label` returns it, None without a file.

    Raises:
        BenchmarkError: as `read`.
    """
    base = base_of(root)
    for _, image, label in _labelled(root, base, _images(base / "image")):
        yield image, label


def _labelled(root: Path, base: Path, images: Mapping[str, str]) -> Iterator[tuple[str, str, Label | None]]:
    """Yield the path without ending, image and label of each image."""
    inside = base.relative_to(root)
    labels = {key: (inside / "label" / f"{key}.txt").as_posix() for key in images}
    tree.check([*((inside / "image" / image).as_posix() for image in images.values()), *labels.values()], root)
    for key, image in images.items():
        path = root / labels[key]
        yield key, image, _label(path) if path.exists() else None


def _images(folder: Path) -> dict[str, str]:
    """Return the paths of all images by their paths without ending, which label and `sides.csv` share."""
    images: dict[str, str] = {}
    for inside, files in tree.walk(folder):
        for name in filter(tree.is_picture, files) if len(inside.parts) == 3 else ():
            image = f"{inside.as_posix()}/{name}"
            other = images.setdefault(image.rpartition(".")[0], image)
            if other != image:
                raise BenchmarkError(f"{folder}: {image} and {other} have one label; remove one of them")
    return dict(sorted(images.items(), key=lambda item: item[1]))


def _label(path: Path) -> Label:
    """Return viewpoint and box (from 0, right and lower edges exclusive), all 0 for a malformed label."""
    content = b""
    if path.is_file():
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    match = LABEL.fullmatch(content) if len(content) <= LONGEST else None
    viewpoint, x1, y1, x2, y2 = map(int, match.groups()) if match else (0, 0, 0, 0, 0)
    return (viewpoint, x1 - 1, y1 - 1, x2, y2) if x1 < x2 and y1 < y2 else (0, 0, 0, 0, 0)


def _view(label: tuple[int, ...] | None, side: str | None, settings: Data) -> tuple[str | None, str]:
    """Return the name of the view, or null and the reason why there is none.

    A rear side of which it is not known which it is counts as a rear view, unless such views are wanted.
    """
    if label is None:
        return None, "without a label file"
    if not any(label):
        return None, MALFORMED
    if label[0] == UNCERTAIN:
        return None, "of uncertain view"
    view = VIEWS[label[0]]
    if side is None and view == VIEWS[5] and not {"rear_left", "rear_right"} & set(settings.views):
        return "rear_side", ""
    if side is None and "{side}" in view:
        return None, "without an entry in sides.csv"
    return view.format(side=side), ""


def _sides(settings: Data, base: Path, known: Collection[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return side and confidence by path without ending, and a sentence on the entries that match no image.

    The confidence is missing where the file has none.
    """
    path = annotations.locate(settings, base, "sides.csv")
    if path is None:
        raise BenchmarkError(
            f"{base / 'sides.csv'} is missing: CompCars does not label whether the left or the right side of a car is "
            f"seen; `benchmark sides --data-root {base}` estimates it, or write the columns image (relative to image/) "
            "and side (left or right)"
        )
    frame = annotations.read(path, ["image", "side"])
    annotations.refuse(path, frame["side"], ~frame["side"].isin(["left", "right"]), "is neither left nor right")
    keys = frame["image"].map(_key)
    annotations.refuse(path, frame["image"], keys.duplicated(), "stands there twice; remove one of the lines")
    notes = annotations.unmatched(path, keys.tolist(), known, "by make/model/year/name, as in the folder image")
    confidence = pd.Series(np.nan, frame.index)
    if "confidence" in frame:
        confidence = annotations.numbers(path, frame["confidence"])
        annotations.refuse(path, frame["confidence"], ~confidence.between(0, 1), "is no confidence from 0 to 1")
    return frame.assign(confidence=confidence).set_index(keys)[["side", "confidence"]], notes


def _key(image: str) -> str:
    """Return `make/model/year/name` without ending, however the path of an image is written."""
    parts = [part for part in image.replace("\\", "/").split("/") if part not in ("", ".")]
    return re.sub(r"\.\w{3,4}$", "", "/".join(parts[-4:]))


def _estimated(confidence: pd.Series, settings: Data) -> str:
    """Return how sure the sides of images are, as a sentence for the tables; empty where nothing says it."""
    if confidence.isna().all():
        return ""
    kept = confidence[confidence >= settings.side_confidence]
    return (
        f"Left and right are estimates (benchmark sides), no labels of the data set: {(confidence == 1).sum():,} of "
        f"{len(confidence):,} images have their side by hand, {len(confidence) - len(kept):,} are left out for a "
        f"confidence below {settings.side_confidence:g}, and the mean confidence of the others is {kept.mean():.3f}."
    )


class _Names:
    """The names of makes and models, by their ids counted from 1."""

    def __init__(self, path: Path) -> None:
        from scipy.io import loadmat

        if not path.is_file():
            raise BenchmarkError(f"{path} is missing; it comes with CompCars and holds the names of the cars")
        try:
            content = loadmat(path, variable_names=NAMES)
            self.makes, self.models = (_by_id(content[key]) for key in NAMES)
        except Exception as error:  # a damaged MAT file fails in many ways
            reason = " ".join(str(error).split()) or "it is damaged"
            raise BenchmarkError(f"{path} has no {' and '.join(NAMES)}; fetch it again ({reason})") from None

    def identity(self, make: str, model: str) -> str:
        """Return names and ids; with the ids two models of one name stay two."""
        return f"{self.makes.get(make) or make} {self.models.get(model) or model} ({make}/{model})"


def _by_id(cells: np.ndarray) -> dict[str, str]:
    """Return the texts of a cell array by their numbers counted from 1.

    A cell that is empty has any type, or holds NaN; a name of digits can be a number.
    """
    if cells.dtype != object:
        raise ValueError("the names are no cell array")
    found = {}
    for number, cell in enumerate(np.ravel(cells), start=1):
        texts = np.ravel(cell)
        if texts.size and texts.dtype.kind not in "Uiuf":
            raise ValueError("a name is no text")
        words = (text if isinstance(text, str) else f"{text:g}" for text in texts.tolist() if text == text)  # no NaN
        found[str(number)] = " ".join(CONTROL.sub(" ", "".join(words)).split())
    return found
