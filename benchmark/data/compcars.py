"""CompCars: photographs of cars by make, model and year, with viewpoint and box.

`image/<make_id>/<model_id>/<year>/<name>.jpg`, `label/` with the same path and `.txt`, `misc/make_model_name.mat` and
`sides.csv`, in the root or in its folder `data`. A label has three lines: viewpoint, number of boxes, and the box
`x1 y1 x2 y2` in pixels counted from 1, both ends included. CompCars does not say which side of a car is seen;
`sides.csv` (columns image, relative to `image/`, and side, `left` or `right`) supplies it. It may have a column
confidence, from 0.5 to 1, as that of `benchmark sides` has.
"""

import re
from collections import Counter
from collections.abc import Iterator
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
LONGEST = 200  # bytes; no label is as long
LABEL = re.compile(rb"(-1|[1-5])[ \t]*\r?\n\d{1,3}[ \t]*\r?\n" + rb"[ \t]+".join([rb"(-?\d{1,6})"] * 4) + rb"\s*")


def read(settings: Data, root: Path) -> Reading:
    """Return the images of certain view; the group of an image is its `<make_id>/<model_id>/<year>`.

    Raises:
        BenchmarkError: a folder, `sides.csv` or the names are missing, a label is malformed, or a file lies outside.
    """
    base = base_of(root)
    inside = base.relative_to(root)
    prefix = (inside / "image").as_posix()
    sides = _sides(settings, base)
    side_of = dict(zip(sides.index, sides["side"], strict=True))
    unsure = set(sides.index[sides["confidence"] < settings.side_confidence])
    tree.check([(inside / MAT).as_posix()], root)
    names = _Names(base / MAT)
    rows: list[dict[str, object]] = []
    dropped: Counter[str] = Counter()
    sided = []
    for image, label in labelled(root):
        make, model, year, _ = image.split("/")
        view, reason = _view(label, side_of.get(image))
        if view is not None and view not in VIEWS.values():
            sided.append(image)
            if image in unsure:
                view, reason = None, f"whose side has a confidence below {settings.side_confidence:g}"
        if label is None or view is None:
            dropped[reason] += 1
            continue
        identity, group = names.identity(make, model), f"{make}/{model}/{year}"
        rows.append(
            {"image": f"{prefix}/{image}", "identity": identity, "view": view, "box": list(label[1:]), "group": group}
        )
    return Reading(manifest.build(rows), dict(dropped), _estimated(sides["confidence"].loc[sided], settings))


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


def labelled(root: Path) -> Iterator[tuple[str, tuple[int, int, int, int, int] | None]]:
    """Yield each image, relative to `image/` and sorted, with its label as `_label` returns it.

    Raises:
        BenchmarkError: as `read`.
    """
    base = base_of(root)
    images = []
    for folder, files in tree.walk(base / "image"):
        if len(folder.parts) == 3:
            images += [f"{folder.as_posix()}/{name}" for name in files if name.endswith(".jpg") and name[0] != "."]
    images.sort()
    inside = base.relative_to(root)
    labels = [(inside / "label" / f"{image[:-4]}.txt").as_posix() for image in images]
    tree.check([*((inside / "image" / image).as_posix() for image in images), *labels], root)
    for image, label in zip(images, labels, strict=True):
        yield image, _label(root / label)


def _label(path: Path) -> tuple[int, int, int, int, int] | None:
    """Return viewpoint and box (from 0, right and lower edges exclusive), or null where there is no label."""
    if not path.exists():
        return None
    content = b""
    if path.is_file():
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    match = LABEL.fullmatch(content) if len(content) <= LONGEST else None
    viewpoint, x1, y1, x2, y2 = map(int, match.groups()) if match else (0, 0, 0, 0, 0)
    if x2 <= x1 or y2 <= y1:
        raise BenchmarkError(
            f"{path} is no label; expected three lines: viewpoint (-1 or 1 to 5), number of boxes, "
            "and x1 y1 x2 y2 in whole pixels with x1 < x2 and y1 < y2"
        )
    return viewpoint, x1 - 1, y1 - 1, x2, y2


def _view(label: tuple[int, ...] | None, side: str | None) -> tuple[str | None, str]:
    """Return the name of the view, or null and the reason why there is none."""
    if label is None:
        return None, "without a label file"
    if label[0] == UNCERTAIN:
        return None, "of uncertain view"
    view = VIEWS[label[0]]
    if side is None and "{side}" in view:
        return None, "without an entry in sides.csv"
    return view.format(side=side), ""


def _sides(settings: Data, base: Path) -> pd.DataFrame:
    """Return side and confidence by image; the confidence is missing where the file has none."""
    path = annotations.locate(settings, base, "sides.csv")
    if path is None:
        raise BenchmarkError(
            f"{base / 'sides.csv'} is missing: CompCars does not label whether the left or the right side of a car is "
            f"seen; `benchmark sides --data-root {base}` estimates it, or write the columns image (relative to image/) "
            "and side (left or right)"
        )
    frame = annotations.read(path, ["image", "side"])
    annotations.refuse(path, frame["side"], ~frame["side"].isin(["left", "right"]), "is neither left nor right")
    annotations.refuse(path, frame["image"], frame["image"].duplicated(), "stands there twice; remove one of the lines")
    confidence = pd.Series(np.nan, frame.index)
    if "confidence" in frame:
        confidence = annotations.numbers(path, frame["confidence"])
        annotations.refuse(path, frame["confidence"], ~confidence.between(0, 1), "is no confidence from 0 to 1")
    return frame.assign(confidence=confidence).set_index("image")[["side", "confidence"]]


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
    """Return the texts of a cell array by their numbers counted from 1; a cell that is empty has any type."""
    if cells.dtype != object:
        raise ValueError("the names are no cell array")
    found = {}
    for number, cell in enumerate(np.ravel(cells), start=1):
        texts = np.ravel(cell)
        if texts.size and texts.dtype.kind != "U":
            raise ValueError("a name is no text")
        found[str(number)] = "".join(map(str, texts)).strip()
        if CONTROL.search(found[str(number)]):
            raise ValueError("a name has a control character")
    return found
