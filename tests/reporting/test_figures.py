"""All figures together: files, names, bytes, and what is missing."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.evaluation.statistics import WITHIN_MODEL
from benchmark.reporting import figures
from benchmark.reporting.fewshot import OVER_IMAGES
from benchmark.reporting.figures.canvas import Picture
from tests.reporting import drawn
from tests.reporting.made import made_facts, profile

MODELS = ["ours", "unet", "vanilla", "copy"]
TRAINED = MODELS[:-1]
ORDER = ["figure_4", "figure_6", "table_1", "table_2", "ablation_over_nc", "figure_8", "joint_over_view", "views"]
ORDER += ["cost_over_accuracy", "learning", "methods", "samples_ours", "samples_unet"]
OF_FACES = ["paper/figure_5", "paper/figure_7", "figures/joint_over_view", "figures/methods", "figures/samples_ours"]
FOREIGN = ("figures/mine.png", "paper/table_1.csv", "paper/figure_4.csv", "notes.txt")
OLD = ("paper/figure_5.svg", "paper/figure_7.csv", "figures/samples_my.model.png")


def draw(results: Path) -> list[Picture]:
    tables = drawn.tidy(
        drawn.identity(MODELS, [20], ("random", "grouped")),
        drawn.fewshot(["no_augmentation", "ours"], [5]),
        drawn.views(MODELS),
        drawn.sizes(TRAINED),
    )
    rows = drawn.rows(drawn.costs(TRAINED), drawn.learning(TRAINED), drawn.samples(["ours", "unet"]))
    return figures.draw_all(rows, tables, results)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Picture], Path]:
    folder = tmp_path_factory.mktemp("results")
    return draw(folder), folder


def test_every_picture_is_there_in_both_formats_in_the_order_of_reading(pictures: tuple[list[Picture], Path]) -> None:
    found, folder = pictures
    assert [picture.path.rpartition("/")[2] for picture in found] == ORDER
    for picture in found:
        assert (folder / f"{picture.path}.png").read_bytes().startswith(b"\x89PNG")
        assert (folder / f"{picture.path}.svg").stat().st_size < 300_000


def test_the_name_of_the_run_stands_on_every_figure(pictures: tuple[list[Picture], Path]) -> None:
    found, folder = pictures
    for picture in found:
        text = (folder / f"{picture.path}.svg").read_text(encoding="utf-8")
        assert f"{picture.title} · profile quick</text>" in text


def test_captions_say_what_bars_cover_and_which_split(pictures: tuple[list[Picture], Path]) -> None:
    captions = {picture.path.rpartition("/")[2]: picture.caption for picture in pictures[0]}
    for name in ("figure_4", "table_2", "ablation_over_nc", "joint_over_view", "cost_over_accuracy"):
        assert f"Bars: {WITHIN_MODEL}." in captions[name]
        assert "random split" in captions[name]
    assert f"Bars: {OVER_IMAGES}." in captions["table_1"]
    assert "random split" in captions["views"]


def test_bytes_are_the_same_each_time_and_only_own_pictures_are_removed(
    pictures: tuple[list[Picture], Path], tmp_path: Path
) -> None:
    for name in (*FOREIGN, *OLD, "paper/figure_4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    draw(tmp_path)
    first = {path.relative_to(pictures[1]): path.read_bytes() for path in pictures[1].rglob("*.*")}
    second = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert second == first | {Path(name): b"old" for name in FOREIGN}


def test_no_date_and_no_path_is_in_a_file(pictures: tuple[list[Picture], Path]) -> None:
    found, folder = pictures
    for picture in found:
        text = (folder / f"{picture.path}.svg").read_text(encoding="utf-8")
        assert "<dc:date>" not in text
        assert str(folder) not in text
        assert not re.search(rb"tIME|tEXtSoftware", (folder / f"{picture.path}.png").read_bytes())


def test_one_model_alone_with_nothing_else_gets_what_there_is(tmp_path: Path) -> None:
    tables = drawn.tidy(drawn.identity(["mine"], [20]), drawn.fewshot([]), drawn.views([]), drawn.sizes([]))
    rows = drawn.rows(drawn.costs([]), drawn.learning([]), drawn.samples([]))
    found = figures.draw_all(rows, tables, tmp_path)
    assert [picture.path for picture in found] == ["paper/figure_4", "figures/joint_over_view"]


def test_rates_that_are_no_numbers_draw_nothing(tmp_path: Path) -> None:
    table = drawn.identity(["ours", "vanilla"])
    rates = [column for column in table if column.startswith(("top", "view", "joint"))]
    recognised = drawn.fewshot(["ours"]).assign(accuracy=float("nan"))
    matrices = drawn.views(["ours"]).assign(joint=float("nan"))
    losses = drawn.learning(["ours"]).assign(value=float("inf"))
    tables = drawn.tidy(table.assign(**dict.fromkeys(rates, float("nan"))), recognised, matrices, drawn.sizes([]))
    assert figures.draw_all(drawn.rows(drawn.costs([]), losses, drawn.samples([])), tables, tmp_path) == []
    assert list(tmp_path.rglob("*.*")) == []


def test_faces_have_the_names_of_their_own_figures(tmp_path: Path) -> None:
    tables = drawn.tidy(drawn.identity(["ours"], [20]), drawn.fewshot([]), drawn.views([]), drawn.sizes([]))
    shown = drawn.samples(["ours"])
    rows = drawn.rows(drawn.costs([]), drawn.learning([]), shown, data__dataset="multipie", data__root="faces")
    paths = [picture.path for picture in figures.draw_all(rows, tables, tmp_path)]
    assert paths == OF_FACES
    content = pd.read_csv(tmp_path / "paper/figure_7.csv")
    assert content["image"].unique().tolist() == ["1.png"]  # seen from the middle view
    assert content["view"].tolist() == ["front", "left", "front", "right"]


def test_rendered_cars_from_the_views_of_faces_have_the_figures_of_faces_with_a_note(tmp_path: Path) -> None:
    tables = drawn.tidy(drawn.identity(["ours"], [20]), drawn.fewshot([]), drawn.views([]), drawn.sizes([]))
    settings = profile("nine_views")
    shown = drawn.samples(["ours"], rows=5, views=settings.data.views)
    rows = replace(drawn.rows(drawn.costs([]), drawn.learning([]), shown), facts=made_facts(settings))
    found = {picture.path: picture.caption for picture in figures.draw_all(rows, tables, tmp_path)}
    assert list(found) == OF_FACES
    said = "In the paper Figures 5 and 7 are of faces (Multi-PIE); these are rendered cars, not faces"
    for path in ("paper/figure_5", "paper/figure_7"):
        assert found[path].startswith(said)
        assert "Not a reproduction: data set rendered instead of multipie; images of 32 px" in found[path]
    assert "N_c 20, 50, 80 instead of 20, 50, 80, 120" in found["paper/figure_5"]
    assert "N_c" not in found["paper/figure_7"]
    assert not any(said in caption for path, caption in found.items() if path.startswith("figures/"))
    content = pd.read_csv(tmp_path / "paper/figure_7.csv", dtype=str)
    assert content[content["column"] == "1"]["input_view"].unique().tolist() == ["0"]
    assert content["view"].tolist()[1:] == list(settings.data.views)
