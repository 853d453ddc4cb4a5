"""CMU Multi-PIE: faces of 337 people from thirteen cameras at eye level.

An image is known by its name, `<subject>_<session>_<recording>_<camera>_<light>.png` (or `.jpg`), wherever it lies
under the root. Only neutral expressions are kept. The view is the camera's angle in degrees, `-90` to `90`.

Boxes come from the CSV `data.annotations`, else from `data.camera_boxes`; without either the whole image is used. The
CSV has the column image (its name or path) and either x0, y0, x1, y1 or the points left_eye_x, left_eye_y, right_eye_x,
right_eye_y, mouth_x, mouth_y; an eye out of sight is left blank. Points give a square of three times the distance
between the middle of the eyes and the mouth, centred between the two: that distance hardly changes with the angle.
"""

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from benchmark.config.settings import Data, did_you_mean
from benchmark.data import annotations, manifest, tree
from benchmark.data.manifest import Reading
from benchmark.errors import BenchmarkError

NAME = re.compile(r"(\d{3})_(\d{2})_(\d{2})_(\d{3})_(\d{2})\.(?:png|jpg)", re.IGNORECASE | re.ASCII)
CAMERAS = ("110", "120", "090", "080", "130", "140", "051", "050", "041", "190", "200", "010", "240")
VIEWS = {camera: str(15 * i - 90) for i, camera in enumerate(CAMERAS)}
NEUTRAL = {("01", "01"), ("02", "01"), ("03", "01"), ("04", "01"), ("04", "02")}  # session, recording
EYES = (["left_eye_x", "right_eye_x"], ["left_eye_y", "right_eye_y"])
MOUTH = ["mouth_x", "mouth_y"]
FACE = 3.0  # side of the box in distances from eyes to mouth

Box = list[float]


def read(settings: Data, root: Path) -> Reading:
    """Return the neutral images of the thirteen cameras; identity is the subject, the group its session,
    and the capture session, recording and light.

    Raises:
        BenchmarkError: an image lies there twice or outside of `root`, or the boxes are malformed.
    """
    given, images = _annotated(settings, root), _images(root)
    if settings.annotations and images and not given.keys() & images.keys():
        raise BenchmarkError(f"{settings.annotations} has a box for none of the images in {root}; check their names")
    fixed = _camera_boxes(settings)
    rows: list[dict[str, object]] = []
    dropped: Counter[str] = Counter()
    for name, image in sorted(images.items()):
        subject, session, recording, camera, light = name.split("_")
        if (session, recording) not in NEUTRAL:
            dropped["of no neutral recording"] += 1
        elif camera not in VIEWS:
            dropped["of another camera"] += 1
        else:
            box = given.get(name, fixed.get(camera))
            capture = f"{session}_{recording}_{light}"
            labels = {"identity": subject, "view": VIEWS[camera], "group": session, "capture": capture}
            rows.append({"image": image, "box": box, **labels})
    return Reading(manifest.build(rows), dict(dropped))


def _images(root: Path) -> dict[str, str]:
    """Return the path of each image relative to `root`, by its name without ending."""
    found: dict[str, str] = {}
    for inside, files in tree.walk(root):
        for file in filter(NAME.fullmatch, files):
            name, image = file[:-4], (inside / file).as_posix()
            if name in found:
                raise BenchmarkError(f"{root}: {image} and {found[name]} are the same picture; remove one of them")
            found[name] = image
    tree.check(found.values(), root)
    return found


def _camera_boxes(settings: Data) -> dict[str, Box]:
    for camera, (x0, y0, x1, y1) in settings.camera_boxes.items():
        if camera not in VIEWS:
            close = did_you_mean(camera, list(VIEWS))
            raise BenchmarkError(
                f"data.camera_boxes.{camera}: there is no such camera; known: {', '.join(VIEWS)}{close}"
            )
        if x0 >= x1 or y0 >= y1:
            raise BenchmarkError(f"data.camera_boxes.{camera}: expected x0, y0, x1, y1 with x0 < x1 and y0 < y1")
    return {camera: [float(edge) for edge in box] for camera, box in settings.camera_boxes.items()}


def _annotated(settings: Data, root: Path) -> dict[str, Box]:
    """Return the boxes of the CSV by the image's name without ending."""
    path = annotations.locate(settings, root, "") if settings.annotations else None
    if path is None:
        return {}
    frame = annotations.read(path, ["image"])
    names = frame["image"].map(lambda image: PurePosixPath(image).stem)
    annotations.refuse(path, frame["image"], names.duplicated(), "stands there twice; remove one of the lines")
    from_points = "mouth_x" in frame.columns
    if not from_points and not {"box", "x0"} & set(frame.columns):
        raise BenchmarkError(f"{path}, line 1: there are neither the columns x0, y0, x1, y1 nor points such as mouth_x")
    boxes = _from_points(path, frame) if from_points else annotations.boxes(path, frame)
    return {name: box for name, box in zip(names, boxes, strict=True) if box is not None}


def _from_points(path: Path, frame: pd.DataFrame) -> list[Box]:
    for column in (*EYES[0], *EYES[1], *MOUTH):
        if column not in frame.columns:
            raise BenchmarkError(f"{path}, line 1: there is no column {column}; the other points are of no use without")
    means = []
    for columns in EYES:  # where one eye is blank the other one counts
        one, other = (frame[name] for name in columns)
        both = one.where(one != "", other), other.where(other != "", one)
        means.append((annotations.numbers(path, both[0]) + annotations.numbers(path, both[1])) / 2)
    eyes = np.stack(means, axis=1)
    mouth = np.stack([annotations.numbers(path, frame[column]) for column in MOUTH], axis=1)
    distance = np.linalg.norm(eyes - mouth, axis=1, keepdims=True)
    no_face = pd.Series(distance[:, 0] == 0, frame.index)
    annotations.refuse(path, frame["mouth_x"], no_face, "puts the mouth where the eyes are")
    centre, half = (eyes + mouth) / 2, FACE / 2 * distance
    boxes: list[Box] = np.hstack([centre - half, centre + half]).tolist()
    return boxes
