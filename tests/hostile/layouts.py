"""Small copies of CompCars and Multi-PIE, whole and well formed, for a case to spoil one file of."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from tests.hostile.places import EACH, IDENTITIES, SIDE, profile

IMAGE, LABEL = "image/1/1/2010/000.jpg", "label/1/1/2010/000.txt"
MAT = "misc/make_model_name.mat"
VIEWPOINTS = (3, 4, 1, 4, 3)  # left, front_left, front, front_right, right
CAMERAS = ("090", "080", "130", "140", "051", "050", "041", "190", "200")
FACES = ("-60", "-45", "-30", "-15", "0", "15", "30", "45", "60")


def compcars(drawn: Path, root: Path) -> Path:
    """Write 11 models with 10 images each; the first is IMAGE, its label LABEL."""
    sides = ["image,side"]
    for number in range(IDENTITIES * EACH):
        model, view = number // EACH + 1, number % len(VIEWPOINTS)
        image = f"1/{model}/2010/{number:03}.jpg"
        for folder in ("image", "label"):
            (root / folder / image).parent.mkdir(parents=True, exist_ok=True)
        os.link(drawn / f"{number:03}.png", root / "image" / image)
        label = (root / "label" / image).with_suffix(".txt")
        label.write_text(f"{VIEWPOINTS[view]}\n1\n1 1 {SIDE} {SIDE}\n", encoding="utf-8")
        sides.append(f"{image},{'left' if view < 2 else 'right'}")
    (root / "sides.csv").write_text("\n".join(sides), encoding="utf-8")
    (root / "misc").mkdir()
    names(root / MAT)
    return root


def cells(*texts: Any) -> np.ndarray:
    """Return a cell array as CompCars has it: a column."""
    made = np.empty((len(texts), 1), dtype=object)
    made[:, 0] = texts
    return made


def names(path: Path, **changes: Any) -> None:
    models = cells(*(f"model {number}" for number in range(1, IDENTITIES + 1)))
    content = {"make_names": cells("Make"), "model_names": models, **changes}
    savemat(path, {key: value for key, value in content.items() if value is not None})


def multipie(drawn: Path, root: Path) -> Path:
    """Write 11 people with 10 images each, `<subject>_01_01_<camera>_<light>.png`."""
    (root / "session").mkdir(parents=True)
    for number in range(IDENTITIES * EACH):
        os.link(drawn / f"{number:03}.png", root / "session" / face(number))
    return root


def face(number: int) -> str:
    """Return the name of a picture."""
    subject, light = number // EACH + 1, number % EACH
    return f"{subject:03}_01_01_{CAMERAS[light % len(CAMERAS)]}_{light:02}.png"


def compcars_profile(**data: Any) -> dict[str, Any]:
    return profile(dataset="compcars", root="compcars", **data)


def multipie_profile(**data: Any) -> dict[str, Any]:
    return profile(dataset="multipie", root="faces", views=list(FACES), **data)
