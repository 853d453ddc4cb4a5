"""Images in figures: which, where, and pixel by pixel."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from benchmark.reporting.figures.canvas import Drawing, save, theme
from benchmark.reporting.figures.samples import by_model, every_method, figure_8, joined, mosaic, of_each_model, reduced
from benchmark.results.rows import Samples
from tests.reporting import drawn
from tests.reporting.made import profile

THREE = profile("quick", data__views=drawn.VIEWS)
MODELS = ["copy", "cr_gan", "mine", "oracle", "ours", "unet"]


def pixels(figure: Figure, path: Path) -> np.ndarray:
    with theme():
        figure.savefig(path, format="png")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def check(drawing: Drawing, samples: Samples, path: Path) -> None:
    """Find every tile that the content names at its place."""
    whole = pixels(drawing.figure, path)
    coloured = np.argwhere((whole != whole[..., :1]).any(axis=-1))
    top, left = coloured.min(axis=0)
    step = 3 * (drawn.SIDE + 1)
    assert drawing.content is not None
    for tile in drawing.content.itertuples():
        grid = samples.grids["ours" if tile.shows == "input" else tile.shows]
        column = 0 if tile.shows == "input" else 1 + drawn.VIEWS.index(tile.view)
        y, x = top + step * (tile.row - 1), left + step * (tile.column - 1)
        shown = whole[y : y + 3 * drawn.SIDE, x : x + 3 * drawn.SIDE].reshape(-1, 3)
        assert np.unique(shown, axis=0).tolist() == [grid[int(tile.image[0]), column, 0, 0].tolist()]


def test_figure_6_shows_each_input_from_another_view(tmp_path: Path) -> None:
    samples = drawn.samples(MODELS, rows=6)
    with theme():
        (drawing,) = by_model(samples, THREE)
    content = drawing.content
    assert content is not None
    assert list(content) == ["row", "column", "shows", "image", "identity", "input_view", "view"]
    assert content.groupby("row")["shows"].first().tolist() == ["input", "ours", "cr_gan", "mine", "oracle"]
    assert content[content["row"] == 1]["image"].tolist() == [f"{n}.png" for n in range(6)]
    shown = content[content["row"] > 1]
    assert (shown["view"] != shown["input_view"]).all()
    assert shown.groupby("column")["view"].nunique().tolist() == [1] * 6
    assert set(shown["view"]) == set(drawn.VIEWS)
    labels = [label.get_text() for label in drawing.figure.axes[0].get_xticklabels()]
    assert labels == shown[shown["row"] == 2]["view"].tolist()
    check(drawing, samples, tmp_path / "figure.png")


def test_figure_8_shows_the_u_net_above_the_full_model(tmp_path: Path) -> None:
    samples = drawn.samples(MODELS)
    with theme():
        (drawing,) = figure_8(samples, drawn.VIEWS)
    content = drawing.content
    assert content is not None
    assert content[content["column"] == 2]["shows"].tolist() == ["unet", "ours"] * 2
    assert content[content["row"] == 1]["shows"].tolist() == ["input"] + ["unet"] * 3
    check(drawing, samples, tmp_path / "figure.png")
    assert list(figure_8(drawn.samples(["ours"]), drawn.VIEWS)) == []


def test_every_method_stands_above_the_true_pictures_with_every_view_of_the_first_inputs(tmp_path: Path) -> None:
    samples = drawn.samples(MODELS, rows=6)
    with theme():
        (drawing,) = every_method(samples, drawn.VIEWS)
    content = drawing.content
    assert content is not None
    assert content[content["column"] == 2]["shows"].tolist() == ["ours", "cr_gan", "unet", "mine", "oracle"]
    first = content[content["row"] == 1]
    assert first["image"].tolist() == [f"{n}.png" for n in range(3) for _ in range(4)]
    assert first["shows"].tolist() == ["input", "ours", "ours", "ours"] * 3
    assert first[first["shows"] == "ours"]["view"].tolist() == list(drawn.VIEWS) * 3
    check(drawing, samples, tmp_path / "figure.png")
    assert list(every_method(drawn.samples(["oracle", "copy"]), drawn.VIEWS)) == []


def test_without_a_model_there_is_nothing_to_set_side_by_side() -> None:
    assert list(by_model(drawn.samples(["oracle", "copy"]), THREE)) == []


def test_large_images_are_fewer() -> None:
    with theme():
        counts = []
        for side in (32, 128):
            samples = drawn.samples(["ours"], rows=8, side=side)
            (drawing,) = of_each_model(samples, drawn.VIEWS, ["ours", "unet"])
            counts.append(len(drawing.figure.axes[0].get_yticks()))
    assert counts == [8, 2]


def test_long_names_make_room_for_themselves(tmp_path: Path) -> None:
    samples = drawn.samples(["ours"])
    named = samples.inputs.assign(identity=["a/b", "x" * 20, "maker/model/" + "y" * 40])
    views = ("left", "a_much_longer_name_of_a_view", "right")
    with theme():
        (drawing,) = of_each_model(Samples(named, samples.grids), views, ["ours"])
        save(drawing, tmp_path, "adhoc-" + "f" * 40)
        (title,) = (text for text in drawing.figure.texts if "adhoc" in text.get_text())
        above = title.get_window_extent()
        axis = drawing.figure.axes[0]
        box, labels = axis.get_tightbbox(), axis.get_xticklabels()
        ends = [label.get_window_extent() for label in labels]
    assert [label.get_text() for label in axis.get_yticklabels()][2] == "maker/model/…" + "y" * 11
    assert labels[2].get_text().split("\n") == ["a", "much", "longer", "name", "of", "a", "view"]
    assert box is not None
    assert drawing.figure.bbox.x0 <= box.x0
    assert drawing.figure.bbox.x0 <= above.x0 < above.x1 <= drawing.figure.bbox.x1
    assert box.y1 < above.y0 < above.y1 <= drawing.figure.bbox.y1
    assert all(before.x1 < after.x0 for before, after in pairwise(ends))


@pytest.mark.parametrize(("side", "factor"), [(20, 4), (32, 3), (96, 1)])
def test_pixels_are_enlarged_by_a_whole_factor(side: int, factor: int, tmp_path: Path) -> None:
    tiles = np.random.default_rng(0).integers(0, 255, (2, 3, side, side, 3)).astype(np.uint8)
    with theme():
        figure = mosaic(tiles, ["a", "b"], ["c", "d", "e"])
    whole = pixels(figure, tmp_path / "mosaic.png")
    expected = joined(tiles).repeat(factor, 0).repeat(factor, 1)
    top, left = np.argwhere((whole != whole[..., :1]).any(axis=-1)).min(axis=0)
    np.testing.assert_array_equal(whole[top : top + expected.shape[0], left : left + expected.shape[1]], expected)


def test_tiles_are_joined_with_white_between_them() -> None:
    tiles = np.arange(2 * 2 * 24 * 24 * 3, dtype=np.uint64).astype(np.uint8).reshape(2, 2, 24, 24, 3)
    whole = joined(tiles)
    assert whole.shape == (49, 49, 3)
    for row in range(2):
        for column in range(2):
            corner = whole[25 * row : 25 * row + 24, 25 * column : 25 * column + 24]
            np.testing.assert_array_equal(corner, tiles[row, column])
    assert (whole[24] == 255).all()
    assert (whole[:, 24] == 255).all()


def test_larger_images_are_reduced_to_means_of_squares() -> None:
    tiles = np.random.default_rng(0).integers(0, 255, (1, 2, 256, 256, 3)).astype(np.uint8)
    means = tiles.reshape(1, 2, 128, 2, 128, 2, 3).mean(axis=(3, 5))
    assert np.abs(reduced(tiles) - means).max() <= 0.5
    assert reduced(tiles[:, :, :128, :128]).shape == (1, 2, 128, 128, 3)


def test_content_is_a_table_of_texts() -> None:
    with theme():
        (drawing,) = by_model(drawn.samples(["ours"]), THREE)
    assert isinstance(drawing.content, pd.DataFrame)
    assert not drawing.content.isna().any().any()


def test_dollars_and_angles_in_a_name_are_letters(tmp_path: Path) -> None:
    samples = drawn.samples(["a$b_$"], rows=2)
    samples = Samples(samples.inputs.assign(identity=["$5_$", "<x>"]), samples.grids)
    with theme():
        (drawing,) = of_each_model(samples, drawn.VIEWS, ["a$b_$"])
        save(drawing, tmp_path, "profile quick")
    text = (tmp_path / "figures/samples_a$b_$.svg").read_text(encoding="utf-8")
    assert "Every view by a$b_$ · profile quick</text>" in text
    assert "$5_$</text>" in text
    assert "&lt;x&gt;</text>" in text
