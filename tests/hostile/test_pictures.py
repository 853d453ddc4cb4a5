"""One odd or hostile image file among a hundred good ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.hostile import judge
from tests.hostile.pictures import LEGAL, UNREADABLE
from tests.hostile.places import stored, table


def listed(folder: Path, name: str) -> None:
    """Put an image of that name last in annotations.csv."""
    row = pd.DataFrame({"image": [name], "identity": ["car 0"], "view": ["left"]})
    pd.concat([table(), row]).to_csv(folder / "annotations.csv", index=False)


@pytest.mark.parametrize("case", LEGAL)
def test_odd_pictures_have_their_right_pixels(place: Path, pictures: Path, case: str) -> None:
    name, write, right, tolerance = LEGAL[case]
    (pictures / name).parent.mkdir(parents=True, exist_ok=True)
    write(pictures / name)
    listed(pictures, name)
    judge.accepted(judge.stages(place))
    assert np.abs(stored(place, name).astype(int) - right).max() <= tolerance


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_pictures_are_listed(place: Path, pictures: Path, case: str) -> None:
    name, write = UNREADABLE[case]
    write(pictures / name)
    listed(pictures, name)
    judge.rejected(judge.stages(place), name)
