"""Any folder of images with a CSV of labels: your own data, objects and faces alike.

The CSV is `data.annotations`, or `annotations.csv` in the root, with the columns image (relative to the root), identity
and either view or azimuth_deg, which is binned by `data.azimuth_bins`; where both stand, view counts. Optional columns:
group (default: every image its own), capture (what two images of a training pair have in common where they can, such as
session and light; default: nothing), split (auxiliary or standard, for all images or none), and box (`x0 y0 x1 y1`) or
x0, y0, x1, y1 in pixels from 0, right and lower edges exclusive.
"""

import json
import shlex
from contextlib import suppress
from pathlib import Path, PurePosixPath

import pandas as pd

from benchmark.config.settings import Data, did_you_mean
from benchmark.config.values import CONTROL
from benchmark.data import annotations, manifest, tree
from benchmark.data.annotations import refuse
from benchmark.data.manifest import CAR_VIEWS, Reading
from benchmark.errors import BenchmarkError, shown

FEW = 3  # files that an error names
LONGEST = 200  # characters of the name of an identity, group or capture
SPLITS = ("auxiliary", "standard")


def read(settings: Data, root: Path) -> Reading:
    """Return the images of the CSV.

    Raises:
        BenchmarkError: the CSV is missing or a line of it is wrong; the sentence names the line.
    """
    path = annotations.locate(settings, root, "annotations.csv")
    if path is None:
        others = ", ".join(sorted(shown(file.name) for file in root.glob("*.csv"))[:FEW])
        there = f"; there is {others}" if others else ""
        raise BenchmarkError(
            f"{root / 'annotations.csv'} is missing{there}; write it, or name the CSV by --annotations"
        )
    frame = annotations.read(path, ["image", "identity"])
    if frame.empty:
        raise BenchmarkError(f"{path} lists no images; write a line for each")
    refuse(path, frame["identity"], frame["identity"] == "", "is empty; name what the image shows")
    for column in frame.columns.intersection(["identity", "group", "capture"]):
        odd = frame[column].str.contains(CONTROL) | (frame[column].str.len() > LONGEST)
        refuse(path, frame[column], odd, f"has a control character or more than {LONGEST} characters; choose a name")
    images = _images(path, frame["image"], root)
    result = pd.DataFrame({"image": images, "identity": frame["identity"], "view": _views(path, frame, settings)})
    result["box"] = annotations.boxes(path, frame)
    result["group"] = frame["group"].where(frame["group"] != "", images) if "group" in frame.columns else images
    result["capture"] = frame["capture"] if "capture" in frame.columns else ""
    result["split"] = _splits(path, frame)
    kept = result[result["view"].notna()]
    why = "of a view that is not in data.views" if "view" in frame.columns else "of an azimuth in no bin"
    rows = [{str(column): value for column, value in row.items()} for row in kept.to_dict("records")]
    return Reading(manifest.build(rows), {why: len(result) - len(kept)})


def _images(path: Path, images: pd.Series, root: Path) -> pd.Series:
    parts = images.map(PurePosixPath)
    foreign = images.str.contains("\\", regex=False) | parts.map(lambda p: p.is_absolute() or ".." in p.parts)
    refuse(path, images, foreign | (images == ""), f"must be a path relative to {root}, with / and without ..")
    sizes = images.map(lambda image: [len(part.encode()) for part in image.split("/")])
    impossible = images.str.contains(CONTROL) | sizes.map(lambda own: max(own) > 255 or sum(own) > 1000)
    refuse(path, images, impossible, "can be no file: it has a control character, or is too long")
    outside = pd.Series(tree.leaving(images, root), images.index, dtype=bool)
    refuse(path, images, outside, f"leads out of {root}; put the file itself there instead of a link")
    clean = parts.map(str).rename("image")
    refuse(path, clean, clean.duplicated(), "stands there twice; remove one of the lines")
    return clean


def _views(path: Path, frame: pd.DataFrame, settings: Data) -> pd.Series:
    if "view" not in frame.columns:
        if "azimuth_deg" not in frame.columns:
            close = did_you_mean("azimuth_deg", list(frame.columns)) or did_you_mean("view", list(frame.columns))
            raise BenchmarkError(
                f"{path}, line 1: there is no column view and none azimuth_deg{close}; add one of them"
            )
        return binned(annotations.numbers(path, frame["azimuth_deg"]), settings.azimuth_bins)
    views, known = frame["view"], list(settings.views)
    if set(known) & set(CAR_VIEWS):
        known += [view for view in CAR_VIEWS if view not in known]
    unknown = ~views.isin(known)
    if settings.other_views == "leave_out":
        return views.where(~unknown, None)
    close = did_you_mean(views[unknown].iloc[0], known) if unknown.any() else ""
    own, setting = list(views.unique()), ""
    if not close and "" not in own and len(own) <= annotations.MOST and len("".join(own)) <= LONGEST:
        with suppress(ValueError):
            own.sort(key=float)
        setting = f" by --set {shlex.quote(f'data.views={json.dumps(own, ensure_ascii=False)}')}"
    ways = f"name it there{setting}, correct it, or leave such images out by data.other_views=leave_out"
    refuse(path, views, unknown, f"is not in data.views, which has {', '.join(known)}{close}; {ways}")
    return views


def binned(azimuth: pd.Series, bins: dict[str, tuple[float, float]]) -> pd.Series:
    """Return the name of the first bin that holds each azimuth (degrees, any turn), or null where none does."""
    result = pd.Series(None, azimuth.index, dtype=object)
    for name, (start, end) in reversed(bins.items()):
        width = (end - start) % 360 or 360
        result[(azimuth - start) % 360 < width] = name
    return result


def _splits(path: Path, frame: pd.DataFrame) -> pd.Series:
    if "split" not in frame.columns or (frame["split"] == "").all():
        return pd.Series(None, frame.index, dtype=object)
    split = frame["split"]
    refuse(path, split, ~split.isin(SPLITS), "is neither auxiliary nor standard; give it for all images or for none")
    both = split != split.groupby(frame["identity"]).transform("first")
    refuse(path, frame["identity"], both, "stands in both splits; give all its images the same one")
    return split
