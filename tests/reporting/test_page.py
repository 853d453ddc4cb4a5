"""The report page as text: what is in it, in which order, and that it needs nothing else."""

import base64
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.errors import BenchmarkError
from benchmark.reporting.page import (
    LARGEST,
    Chapter,
    anchor,
    covering,
    embed,
    failures_sheet,
    folded,
    page,
    provenance_sheet,
    settings_sheet,
)
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import headline
from tests.reporting.made import made_identity, profile
from tests.reporting.paged import DIVERGED, HOSTILE, LONG, SORTED, facts, picture, report


def test_the_parts_stand_in_their_order_and_the_contents_lead_to_them(tmp_path: Path) -> None:
    text = report(tmp_path)
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == ["Sorted", "Exhibits", "Samples", "Settings", "Provenance", "What failed"]
    links, places = re.findall(r'href="#(.*?)"', text), re.findall(r' id="(.*?)"', text)
    assert len(places) == len(set(places))
    assert {"headline", "exhibits", "exhibits-1", "exhibits-2", "samples", "what-failed"} <= set(links)
    assert set(links) <= set(places)


def test_the_page_is_the_same_each_time_and_names_nothing_outside(tmp_path: Path) -> None:
    text = report(tmp_path)
    assert text.startswith("<!DOCTYPE html>\n")
    assert text == report(tmp_path)
    assert not re.search(r"""(src|href)="(?!#|data:)|url\(|@import|https?://|fetch\(""", text)


def test_every_text_is_escaped(tmp_path: Path) -> None:
    hostile = DIVERGED.model_copy(update={"reason": HOSTILE})
    text = report(tmp_path, hostile)
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4  # a cell, a note, the warning, the reason
    named = page(facts(), SORTED, [Chapter(HOSTILE, [Sheet(f'"{HOSTILE}', [Grid([HOSTILE], [["x"]])])])], tmp_path)
    assert HOSTILE not in named
    assert named.count("<script>") == 1


def test_what_failed_is_said_at_the_top(tmp_path: Path) -> None:
    failed = [DIVERGED.model_copy(update={"cell": f"models/m{number}"}) for number in range(5)]
    top = report(tmp_path, *failed).partition("<main>")[0]
    assert "5 training runs or measurements are missing" in top
    assert "<code>models/m0</code> diverged: the loss adversarial is nan in cycle 120" in top
    assert "models/m4" not in top
    assert "1 training run or measurement is missing" in report(tmp_path, DIVERGED)
    killed = DIVERGED.model_copy(update={"status": "running", "reason": ""})
    assert report(tmp_path, killed).count("begun and not finished") == 2
    fine = report(tmp_path)
    assert "missing" not in fine.partition("<main>")[0].partition("<body>")[2]
    assert "Nothing failed: every training run and measurement" in fine


def test_failures_settings_and_provenance_are_tables() -> None:
    assert failures_sheet(facts(DIVERGED)).grids[0].rows == [("models/ours/seed1", "diverged", DIVERGED.reason)]
    settings = {row[0]: row[1:] for row in settings_sheet(facts()).grids[0].rows}
    assert settings["seeds"] == ("1", "")
    assert settings["training.images"] == ("320", "no default")
    assert settings["evaluation.nc"] == ("5, 12", "20, 50, 80")
    assert settings["training.width"] == ("0.125", "1")
    assert settings["data.root"] == ("none", "")
    assert settings["data.rendered.images"] == ("14, 18", "22, 34")
    assert settings["data.azimuth_bins"][0].startswith("left: 335, 25; front_left: ")
    made, data = provenance_sheet(facts()).grids
    assert made.rows[0] == ("run", "smoke")
    assert dict(made.rows[1:]) == {
        "commit": "0123abc",
        "torch": "2.14.1",
        "device": "a CPU",
        "numbers of the training seeds": "0",
    }
    assert data.rows == [("standard", "12", "1,300")]


def test_models_seeds_and_numbers_of_classes_are_those_of_the_rows() -> None:
    last = facts().model_copy(update={"settings": profile("smoke", models=["ours"], evaluation__nc=[5])})
    rows = [made_identity("unet", [0.5], 12), made_identity("ours", [0.5] * 3, 5), made_identity("copy", [0.5], 5)]
    found = covering(last, rows)
    assert found.settings.models == ("ours", "unet")
    assert found.settings.evaluation.nc == (5, 12)
    assert dict(provenance_sheet(found).grids[0].rows)["numbers of the training seeds"] == "0, 1, 2"
    assert found.settings.evaluation.draws == last.settings.evaluation.draws


@pytest.mark.parametrize(
    ("models", "seeds", "said"),
    [(("ours",), 1, "1 model, 1 training seed each,"), (("ours", "unet"), 3, "2 models, up to 3 training seeds each,")],
)
def test_the_page_says_how_many_models_and_seeds(
    models: tuple[str, ...], seeds: int, said: str, tmp_path: Path
) -> None:
    settings = facts().settings.model_copy(update={"models": models, "seeds": seeds})
    assert said in page(facts().model_copy(update={"settings": settings}), SORTED, [], tmp_path)


def test_long_tables_are_folded_from_the_row_on_that_makes_them_long() -> None:
    assert folded(LONG) == [False, True]
    assert folded(Sheet("", [Grid(["a"], [["x"]] * 31)])) == [True]
    assert folded(Sheet("", [Grid(["a"], [["x"]] * 15)] * 3)) == [False, False, True]
    assert folded(Sheet("", [])) == []


@pytest.mark.parametrize(("title", "name"), [("The paper's exhibits", "the-paper-s-exhibits"), ("N_c = 5!", "n-c-5")])
def test_anchors(title: str, name: str) -> None:
    assert anchor(title) == name


def test_a_picture_is_an_svg_unless_that_is_far_larger(tmp_path: Path) -> None:
    drawn = picture(tmp_path, "square", 300, 200)
    found = embed(tmp_path, drawn)
    assert (found.width, found.height, found.wide) == (300, 200, False)
    svg, png = ((tmp_path / "figures" / f"square.{kind}").read_bytes() for kind in ("svg", "png"))
    assert found.source == f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    (tmp_path / "figures/square.svg").write_bytes(svg + b" " * 3 * len(png))
    assert embed(tmp_path, drawn).source == f"data:image/png;base64,{base64.b64encode(png).decode()}"


def test_a_large_picture_is_compressed(tmp_path: Path) -> None:
    drawn = picture(tmp_path, "noise", 900, 200)
    noise = np.random.default_rng(0).integers(0, 256, (200, 900, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "figures/noise.png")
    (tmp_path / "figures/noise.svg").write_bytes(b" " * (LARGEST + 1))
    found = embed(tmp_path, drawn)
    assert (found.width, found.height, found.wide) == (900, 200, True)
    kind, _, content = found.source.partition(";base64,")
    assert kind == "data:image/webp"
    assert len(base64.b64decode(content)) < LARGEST < (tmp_path / "figures/noise.png").stat().st_size


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_missing_picture_is_named(tmp_path: Path, kind: str) -> None:
    drawn = picture(tmp_path, "square", 300, 200)
    (tmp_path / f"figures/square.{kind}").unlink()
    with pytest.raises(BenchmarkError, match=rf"square\.{kind} is missing or damaged"):
        embed(tmp_path, drawn)


def identity_rows(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    """Return rows with this joint on other views; the higher it is, the lower is joint."""
    table = pd.DataFrame(rows, columns=["model", "split", "nc", "joint_cross"])
    rates = ("joint_cross", "joint", "top1", "view")
    bounds = {f"{rate}_ci_{end}": 0.25 for rate in rates for end in ("low", "high")}
    trained = {"images_seen": 640, "batch_size": 32, "train_images": 99, "warm_up_steps": 0}
    joint = 1 - table["joint_cross"]
    return table.assign(profile="smoke", n_seeds=1, joint=joint, top1=0.5, view=0.75, **bounds, **trained)


def test_the_headline_has_joint_on_other_views_first_and_controls_apart() -> None:
    rows = [("ours", "random", 5, 0.1), ("ours", "grouped", 5, 0.9), ("unet", "random", 5, 0.3)]
    more = [("ours", "random", 12, 0.2), ("late", "random", 12, 0.8), ("copy", "random", 5, 0.4)]
    sheet = headline(identity_rows(*rows, *more))
    models, controls = sheet.grids
    assert models.head[:3] == ["model", "joint on other views %, 5 classes", "joint on other views %, 12 classes"]
    beside = ["joint %, 5 classes", "top-1 %, 5 classes", "view %, 5 classes"]
    assert models.head[3:] == [*beside, "warm-up steps", "seeds"]
    assert [list(row[:3]) for row in models.rows] == [
        ["ours", "10.0 [25.0, 25.0]", "20.0 [25.0, 25.0]"],
        ["unet", "30.0 [25.0, 25.0]", "-"],
        ["late", "-", "80.0 [25.0, 25.0]"],
    ]
    assert [row[0] for row in controls.rows] == ["copy"]
    assert sheet.notes[-1] == "Controls: copy: output = input, whatever the target view."
    assert len(headline(identity_rows(rows[0])).grids) == 1
