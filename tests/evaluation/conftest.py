"""A small image store that tests of generated images share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.data.image_store import ImageStore

VIEWS = 3


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """30 random images; row counts backwards, so that position and row differ."""
    random = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", random.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8))
    splits = np.array(["auxiliary"] * 14 + ["validation"] * 4 + ["standard"] * 12)
    table = pd.DataFrame({"split": splits, "view_label": np.arange(30) % VIEWS, "row": np.arange(30)[::-1]})
    table["identity"] = [f"i{n // 6}" for n in range(30)]
    return ImageStore(tmp_path, table)
