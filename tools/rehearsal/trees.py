"""CompCars and Multi-PIE as folders of the real number of files, and what the suite has to say of them.

Every picture has a fate that is drawn before it is written, with the published numbers of makes, models, people and
sessions. A few hundred different pictures are hard-linked under all names, so that a tree takes little room.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.io import savemat

from benchmark.data.manifest import Account
from benchmark.data.multipie import CAMERAS, VIEWS
from benchmark.seeding import rng
from tools.rehearsal.pictures import Drawn

KEPT, SMALL, REAR = "kept", "in identities with fewer than 10 images", "rear views"
UNREADABLE = "unreadable or with a box outside the image"
UNCERTAIN, MALFORMED, UNLABELLED = "of uncertain view", "with a malformed label", "without a label file"
UNLISTED, UNSURE = "without an entry in sides.csv", "whose side has a confidence below 0.6"
VIEWPOINTS = {-1: 780, 1: 18_431, 2: 13_513, 3: 23_551, 4: 49_301, 5: 31_150}  # as published: 136,726 images
MAKES, MODELS, LARGE = 163, 1716, 1477  # the last: with 10 images or more of the five views (the paper, section 4.1)
SPOILT = {MALFORMED: 90, UNLABELLED: 30, UNLISTED: 40, UNSURE: 1100, UNREADABLE: 60}  # of front, side and front-side
LABELS = (b"", b"3\n1\n", b"3\n1\n50 10 20 90\n", b"7\n1\n1 1 50 50\n", "3\n1\n1 1 50 50\n".encode("utf-16"))
SEEN = {-1: "front", 1: "front", 2: "rear", 3: "{side}", 4: "front_{side}", 5: "rear_{side}"}  # in a picture

SESSIONS = {1: 249, 2: 203, 3: 230, 4: 239}  # people in each, as published
RECORDINGS, NEUTRAL = {1: 2, 2: 3, 3: 3, 4: 3}, {1: (1,), 2: (1,), 3: (1,), 4: (1, 2)}  # expressions of each session
PEOPLE, LAST = 337, 346  # number of people, and the highest number of one
ABOVE, LIGHTS = ("081", "191"), 20  # cameras above the heads; all fifteen see each light
CROPPED = 250  # people in the crops that are passed around
SIDEWAYS = ("90", "75", "-75", "-90")  # views that the profile does not keep


@dataclass(frozen=True)
class Expected:
    """Expected messages about a tree.

    Attributes:
        accounts: of reading, filtering, and storing or, where an image is unreadable, filtering again.
        identities: in the auxiliary and the standard set.
        images: files in the tree.
    """

    accounts: Sequence[Account]
    identities: tuple[int, int]
    images: int


def compcars(root: Path, drawn: Mapping[str, Sequence[Drawn]], share: float = 1.0) -> Expected:
    """Write a tree in CompCars' layout with `sides.csv`; `share` of its images, models and makes."""
    random = rng("rehearsal", "compcars")
    table = _cars(random, share)
    broken = next(iter(drawn.values()))[0].path.with_name("broken.jpg")
    broken.write_bytes(b"\xff\xd8\xff" + bytes(100))
    folders = (table["make"] + "/" + table["model"] + "/" + table["year"]).tolist()
    for folder in sorted(set(folders)):
        (root / "image" / folder).mkdir(parents=True)
        (root / "label" / folder).mkdir(parents=True)
    sides = ["image,side,confidence"]
    picked, columns = random.random(len(table)), (table[name].tolist() for name in ("viewpoint", "side", "fate"))
    for number, (viewpoint, side, fate) in enumerate(zip(*columns, strict=True)):
        name = f"{folders[number]}/{number * 2654435761 % 2**56:014x}"
        pictures = drawn[SEEN[viewpoint].format(side=side)]
        picture, box = pictures[int(picked[number] * len(pictures))]
        os.link(broken if fate == UNREADABLE else picture, root / "image" / f"{name}.jpg")
        if fate != UNLABELLED:
            label = f"{viewpoint}\n1\n{' '.join(map(str, box))}\n".encode()
            (root / "label" / f"{name}.txt").write_bytes(LABELS[number % 5] if fate == MALFORMED else label)
        if viewpoint in (3, 4) and fate != UNLISTED:
            sides.append(f"{name}.jpg,{side},{0.55 if fate == UNSURE else 0.9999}")
    (root / "sides.csv").write_text("\n".join([*sides, ""]), encoding="utf-8")
    (root / "misc").mkdir()
    savemat(root / "misc" / "make_model_name.mat", _names(table))
    return _expected(table, 0.8)


def _cars(random: np.random.Generator, share: float) -> pd.DataFrame:
    """Return make, model, year, viewpoint, side and fate of every image."""
    makes, models, large = (max(1, round(share * count)) for count in (MAKES, MODELS, LARGE))
    viewpoint = np.concatenate([np.full(round(share * count), point) for point, count in VIEWPOINTS.items()])
    random.shuffle(viewpoint)
    fate = np.where(np.isin(viewpoint, (2, 5)), REAR, np.where(viewpoint == -1, UNCERTAIN, KEPT)).astype(object)
    for reason, count in SPOILT.items():
        sided = reason in (UNLISTED, UNSURE)
        able = np.flatnonzero((fate == KEPT) & (np.isin(viewpoint, (3, 4)) | ~sided))
        fate[random.choice(able, max(1, round(share * count)), replace=False)] = reason
    weights = random.lognormal(0.0, 0.9, models)
    model = random.choice(models, len(viewpoint), p=weights / weights.sum())
    good = random.permutation(np.flatnonzero(fate == KEPT))
    few = random.integers(0, 10, models - large)  # images of each small model
    most = np.repeat(np.arange(large), 11)  # of each large one at least: an unreadable image more is no harm
    rest = random.choice(large, len(good) - few.sum() - len(most), p=weights[:large] / weights[:large].sum())
    model[good] = np.concatenate([np.repeat(np.arange(large, models), few), most, rest])
    unreadable = np.flatnonzero(fate == UNREADABLE)
    model[unreadable] = random.choice(large, len(unreadable))
    fate[(fate == KEPT) & (model >= large)] = SMALL
    number = np.sort(random.choice(np.arange(1, 2 * models), models, replace=False))  # some ids are never used
    random.shuffle(number)
    make = np.concatenate([np.arange(makes), random.integers(0, makes, models - makes)])
    year = random.choice([*map(str, range(2005, 2016)), "unknown"], len(viewpoint))
    side = random.choice(["left", "right"], len(viewpoint))
    columns = {"make": (make + 1).astype(str)[model], "model": number.astype(str)[model], "year": year}
    return pd.DataFrame({**columns, "viewpoint": viewpoint, "side": side, "fate": fate, "identity": model})


def _names(table: pd.DataFrame) -> dict[str, NDArray[np.object_]]:
    """Return cell arrays of names as CompCars has them: some empty, some of digits, some Chinese, some the same."""

    def cells(ids: pd.Series, word: str) -> NDArray[np.object_]:
        kinds = ([word], np.empty(0), [408], ["\u5965\u8fea A4"])
        found = np.empty((ids.astype(int).max(), 1), dtype=object)
        for number in range(len(found)):
            kind = kinds[number % 40] if number % 40 < len(kinds) else [f"{word} {number}"]
            found[number, 0] = kind[0] if len(kind) and isinstance(kind[0], str) else np.array(kind)
        return found

    return {"make_names": cells(table["make"], "Make"), "model_names": cells(table["model"], "Model")}


def multipie(root: Path, pictures: Sequence[Path], share: float = 1.0, width: int = 0) -> Expected:
    """Write a tree of `share` of the people of Multi-PIE.

    Whole photographs, `width` pixels wide, lie in folders as they are distributed, with `points.csv` for nine of ten;
    crops (no width) lie in a folder for each person and are those of the first session, of 250 people.
    """
    cropped = not width
    random = rng("rehearsal", "multipie")
    x0, y0, x1, y1 = (width * part // 64 for part in (28, 20, 36, 28))  # a face in the middle
    line = f"{x0},{y0},%s,{y0},{(x0 + x1) // 2},{y1}"
    points = ["image,left_eye_x,left_eye_y,right_eye_x,right_eye_y,mouth_x,mouth_y"]
    rows: list[tuple[str, int]] = []
    for subject, session in _attendance(random, share, cropped):
        for recording in range(1, RECORDINGS[session] + 1):
            for camera in CAMERAS if cropped else (*CAMERAS, *ABOVE):
                distributed = f"session{session:02}/multiview/{subject:03}/{recording:02}/{camera[:2]}_{camera[2]}"
                folder = root / (f"crops/{subject}" if cropped else distributed)
                folder.mkdir(parents=True, exist_ok=True)
                fate = _fate(random, camera, recording in NEUTRAL[session], cropped)
                for light in range(LIGHTS):
                    name = f"{subject:03}_{session:02}_{recording:02}_{camera}_{light:02}"
                    ending = "_crop_128.png" if cropped else ".png"
                    os.link(pictures[(subject + light) % len(pictures)], folder / f"{name}{ending}")
                    rows.append((fate, subject))
                    if not cropped and (fate == KEPT or fate.startswith("of view")):
                        points.append(f"{name},{line % ('' if VIEWS[camera] in SIDEWAYS else x1)}")
    os.link(pictures[0], root / "colours.png")
    if not cropped:
        (root / "points.csv").write_text("\n".join([*points, ""]), encoding="utf-8")
    table = pd.DataFrame([*rows, ("of no name of Multi-PIE", LAST + 1)], columns=["fate", "identity"])
    return _expected(table, round(200 * share))


def _fate(random: np.random.Generator, camera: str, neutral: bool, cropped: bool) -> str:
    """Return what becomes of the pictures of a camera in one recording."""
    if not neutral:
        return "of no neutral recording"
    if camera in ABOVE:
        return "of another camera"
    if not cropped and random.random() < 0.1:
        return "without box or points (whole photographs)"
    return f"of view {VIEWS[camera]}" if VIEWS[camera] in SIDEWAYS else KEPT


def _attendance(random: np.random.Generator, share: float, cropped: bool) -> list[tuple[int, int]]:
    """Return who was there in which session: everybody once at least, and as many in a session as published."""
    people = np.sort(random.choice(np.arange(1, LAST + 1), PEOPLE, replace=False))[: round(PEOPLE * share)]
    if cropped:
        return [(int(subject), 1) for subject in people[: round(CROPPED * share)]]
    there: dict[int, set[int]] = {session: set() for session in SESSIONS}
    for place, subject in enumerate(random.permutation(people)):
        there[place % len(SESSIONS) + 1].add(int(subject))
    for session, count in SESSIONS.items():
        others = [int(subject) for subject in people if subject not in there[session]]
        there[session] |= set(random.choice(others, round(count * share) - len(there[session]), replace=False).tolist())
    return sorted((subject, session) for session, subjects in there.items() for subject in subjects)


def _expected(table: pd.DataFrame, auxiliary: float | int) -> Expected:
    """Return what has to be said of pictures with the columns fate and identity."""
    filtered = table["fate"].isin([REAR, SMALL]) | table["fate"].str.startswith("of view")
    stages = {"read": ~filtered & ~table["fate"].isin([KEPT, UNREADABLE]), "filter": filtered}
    if (table["fate"] == UNREADABLE).any():
        stages["store"] = table["fate"] == UNREADABLE
    accounts, there = [], table
    for step, dropped in stages.items():
        counts = {str(fate): int(count) for fate, count in table.loc[dropped, "fate"].value_counts().items()}
        left = there[~dropped[there.index]]
        inside = (left if step == "read" else there)["identity"].nunique()
        accounts.append(Account(step, len(there), inside, len(left), left["identity"].nunique(), counts))
        there = left
    identities = there["identity"].nunique()
    first = auxiliary if isinstance(auxiliary, int) else int(auxiliary * identities + 1e-9)
    return Expected(accounts, (first, identities - first), len(table))
