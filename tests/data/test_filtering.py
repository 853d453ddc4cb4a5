"""Filtering: views first, then identities with too few images left."""

import pandas as pd
import pytest

from benchmark.config.settings import Data
from benchmark.data import filtering
from benchmark.errors import BenchmarkError

VIEWS = ("left", "front")


def manifest(**images: list[str]) -> pd.DataFrame:
    rows = [
        {"image": f"{name}{i}", "identity": name, "view": v}
        for name, views in images.items()
        for i, v in enumerate(views)
    ]
    return pd.DataFrame(rows)


def test_only_images_of_kept_views_count_towards_the_minimum() -> None:
    table = manifest(a=["left", "front", "left"], b=["left", "rear", "rear_left"], c=["front"] * 2)
    kept, account = filtering.keep(table, Data(views=VIEWS, minimum_images=2))
    assert list(kept["image"]) == ["a0", "a1", "a2", "c0", "c1"]
    assert list(kept.index) == [0, 1, 2, 3, 4]
    assert str(account) == (
        "filter: 8 images of 3 identities in; dropped 2 rear views, 1 in identities with fewer than 2 images; "
        "5 images of 2 identities out"
    )


def test_other_views_are_counted_by_name() -> None:
    table = manifest(a=["left", "front", "right", "rear", "right"])
    _, account = filtering.keep(table, Data(views=VIEWS, minimum_images=2))
    assert account.dropped == {"of view right": 2, "rear views": 1, "in identities with fewer than 2 images": 0}


def test_nothing_to_drop() -> None:
    _, account = filtering.keep(manifest(a=["left", "front"]), Data(views=VIEWS, minimum_images=2))
    assert "dropped nothing; 2 images" in str(account)


def test_too_little_is_left() -> None:
    with pytest.raises(BenchmarkError, match=r"3 in identities with fewer than 4.*minimum_images"):
        filtering.keep(manifest(a=["left", "front", "left"]), Data(views=VIEWS, minimum_images=4))
    with pytest.raises(BenchmarkError, match=r"no image of front is left .*data\.views"):
        filtering.keep(manifest(a=["left", "left"]), Data(views=VIEWS, minimum_images=2))
    with pytest.raises(BenchmarkError, match=r"front and right is left .*; bring images of two views or more"):
        filtering.keep(manifest(a=["left", "left"]), Data(views=(*VIEWS, "right"), minimum_images=2))
    with pytest.raises(BenchmarkError, match=r'of right is left .*; data\.views=\["left", "front"\] leaves it out'):
        filtering.keep(manifest(a=["left", "front"]), Data(views=(*VIEWS, "right"), minimum_images=2))
    table = manifest(a=["left", "front", "left"], b=["right"])
    with pytest.raises(BenchmarkError, match=r"of right is left .*; lower data\.minimum_images, which is 3, or data"):
        filtering.keep(table, Data(views=(*VIEWS, "right"), minimum_images=3))
