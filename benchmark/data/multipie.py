"""CMU Multi-PIE: faces of 337 people from thirteen cameras at eye level.

An image is known by its name, `<subject>_<session>_<recording>_<camera>_<light>`, wherever it lies under the root; more
can follow, as in `001_01_01_051_07_crop_128.png`. Only neutral expressions are kept. The view is the camera's angle in
degrees, `-90` to `90`.

Boxes come from the CSV `data.annotations`, else from `data.camera_boxes`. Without either a crop is used as it is, and a
whole photograph, which is wider than high, is left out. The CSV has the column image (its name or path) and either x0,
y0, x1, y1 or the points left_eye_x, left_eye_y, right_eye_x, right_eye_y, mouth_x, mouth_y; an eye out of sight is left
blank. Points give a square of three times the distance between the middle of the eyes and the mouth, centred between
the two: that distance hardly changes with the angle. It is turned so that the eyes are level, unless one is blank or
they are too close to each other to tell.
"""

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from benchmark.config.settings import Data, did_you_mean
from benchmark.data import annotations, manifest, pictures, tree
from benchmark.data.manifest import Reading
from benchmark.errors import BenchmarkError, shown

NAME = re.compile(r"(\d{3}_\d{2}_\d{2}_\d{3}_\d{2})(?:[_.-][\w.-]*)?", re.ASCII)  # without ending
EXAMPLES = "001_01_01_051_07.png (subject, session, recording, camera, light) or 001_01_01_051_07_crop_128.png"
CAMERAS = ("110", "120", "090", "080", "130", "140", "051", "050", "041", "190", "200", "010", "240")
VIEWS = {camera: str(15 * i - 90) for i, camera in enumerate(CAMERAS)}
NEUTRAL = {("01", "01"), ("02", "01"), ("03", "01"), ("04", "01"), ("04", "02")}  # session, recording
EYES = (["left_eye_x", "right_eye_x"], ["left_eye_y", "right_eye_y"])
MOUTH = ["mouth_x", "mouth_y"]
FACE = 3.0  # side of the box in distances from eyes to mouth
APART = 1 / 3  # distance of the eyes, in distances from eyes to mouth, from which on they tell the roll of the head
STEEPEST = 45.0  # degrees of roll; more is a slip of the pen
WIDE = 1.2  # ratio of width to height from which on a picture is no crop of a face; Multi-PIE's photographs have 4 : 3

Box = list[float]


def read(settings: Data, root: Path) -> Reading:
    """Return the neutral images of the thirteen cameras; identity is the subject, the group its session,
    and the capture session, recording and light.

    Raises:
        BenchmarkError: no image has a name of Multi-PIE, one lies there twice or outside of `root`, the boxes are
            malformed, or all images are photographs of which nothing says where the face is.
    """
    images, others = _images(root)
    given, notes = _annotated(settings, root, images)
    fixed = _camera_boxes(settings)
    rows: list[dict[str, object]] = []
    dropped = Counter({"of no name of Multi-PIE": others})
    wide: dict[tuple[str, str], bool] = {}  # pictures of a folder and camera are alike
    whole = ""
    for name, image in sorted(images.items()):
        subject, session, recording, camera, light = name.split("_")
        if (session, recording) not in NEUTRAL:
            dropped["of no neutral recording"] += 1
        elif camera not in VIEWS:
            dropped["of another camera"] += 1
        else:
            box = given.get(name, fixed.get(camera))
            alike = image.rpartition("/")[0], camera
            if not box and alike not in wide and (size := pictures.size(root / image)):
                wide[alike] = size[0] > WIDE * size[1]
                whole = whole or (f"{image} of {size[0]} x {size[1]} pixels" if wide[alike] else "")
            if not box and wide.get(alike):
                dropped["without box or points (whole photographs)"] += 1
                continue
            capture = f"{session}_{recording}_{light}"
            labels = {"identity": subject, "view": VIEWS[camera], "group": session, "capture": capture}
            rows.append({"image": image, "box": box, **labels})
    if whole and not rows:
        raise BenchmarkError(
            f"the images in {root}, such as {whole}, are whole photographs, and nothing says where the face is; name a "
            "CSV of boxes or of eye and mouth points by data.annotations, give data.camera_boxes, or bring square crops"
        )
    return Reading(manifest.build(rows), dict(dropped), notes)


def _images(root: Path) -> tuple[dict[str, str], int]:
    """Return the path of each image relative to `root` by its five numbers, and how many pictures have other names."""
    found: dict[str, str] = {}
    first, others = "", 0
    for inside, files in tree.walk(root):
        for file in files:
            image, match = (inside / file).as_posix(), NAME.fullmatch(PurePosixPath(file).stem)
            if not match or not tree.is_picture(file):
                first = first or ("" if (root / image).is_dir() else image)
                others += tree.is_picture(file)
            elif match[1] in found:
                raise BenchmarkError(f"{root}: {image} and {found[match[1]]} are the same picture; remove one of them")
            else:
                found[match[1]] = image
    if not found:
        there = f"the first file there is {shown(first)}" if first else "there is no file"
        raise BenchmarkError(f"no images found under {root} with names such as {EXAMPLES}: {there}; check data.root")
    tree.check(found.values(), root)
    return found, others


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


def _annotated(settings: Data, root: Path, known: Collection[str]) -> tuple[dict[str, Box], tuple[str, ...]]:
    """Return the boxes of the CSV by the image's five numbers, and a sentence on entries of no known image.

    Raises:
        BenchmarkError: the CSV is malformed, or has a box for no known image.
    """
    path = annotations.locate(settings, root, "") if settings.annotations else None
    if path is None:
        return {}, ()
    frame = annotations.read(path, ["image"])
    stems = frame["image"].map(lambda image: PurePosixPath(image.replace("\\", "/")).stem)
    names = stems.map(lambda stem: match[1] if (match := NAME.fullmatch(stem)) else stem)
    annotations.refuse(path, frame["image"], names.duplicated(), "stands there twice; remove one of the lines")
    from_points = "mouth_x" in frame.columns
    if not from_points and not {"box", "x0"} & set(frame.columns):
        raise BenchmarkError(f"{path}, line 1: there are neither the columns x0, y0, x1, y1 nor points such as mouth_x")
    boxes = _from_points(path, frame) if from_points else annotations.boxes(path, frame)
    found = {name: box for name, box in zip(names, boxes, strict=True) if box is not None}
    if not found.keys() & set(known):
        raise BenchmarkError(f"{path} has a box for none of the images in {root}; an image is named as {EXAMPLES}")
    return found, annotations.unmatched(path, names.tolist(), known, "by its five numbers, as in 001_01_01_051_07")


def _from_points(path: Path, frame: pd.DataFrame) -> list[Box]:
    for column in (*EYES[0], *EYES[1], *MOUTH):
        if column not in frame.columns:
            raise BenchmarkError(f"{path}, line 1: there is no column {column}; the other points are of no use without")
    both = []
    for columns in EYES:  # where one eye is blank the other one counts
        one, other = (frame[name] for name in columns)
        both.append(
            [annotations.numbers(path, eye) for eye in (one.where(one != "", other), other.where(other != "", one))]
        )
    first, second = np.array(both, float).transpose(1, 2, 0)  # (rows, 2) each
    eyes = (first + second) / 2
    mouth = np.stack([annotations.numbers(path, frame[column]) for column in MOUTH], axis=1)
    distance = np.linalg.norm(eyes - mouth, axis=1, keepdims=True)
    no_face = pd.Series(distance[:, 0] == 0, frame.index)
    annotations.refuse(path, frame["mouth_x"], no_face, "puts the mouth where the eyes are")
    centre, half = (eyes + mouth) / 2, FACE / 2 * distance
    boxes: list[Box] = np.hstack([centre - half, centre + half]).tolist()
    across = np.where(first[:, :1] > second[:, :1], first - second, second - first)  # from the left eye in the image
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    level = (np.linalg.norm(across, axis=1) < APART * distance[:, 0]) | (np.abs(roll) > STEEPEST) | (roll == 0)
    return [box if flat else [*box, float(angle)] for box, flat, angle in zip(boxes, level, roll, strict=True)]
