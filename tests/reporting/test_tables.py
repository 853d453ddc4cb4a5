"""Tables, metrics and grids of images from planted outcomes."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy import stats

from benchmark.evaluation.samples import sample_positions, save_columns
from benchmark.evaluation.statistics import BETWEEN_SEEDS, WITHIN_MODEL
from benchmark.reporting import tables
from benchmark.reporting.exhibits import ablation_sheet, ablation_table
from benchmark.reporting.sheets import markdown
from benchmark.reporting.tidy import metrics
from benchmark.results.rates import ALL_RATES, all_rates
from benchmark.results.records import Measured, Trained
from benchmark.results.rows import QUALITY_COLUMNS, write_csv

NO_FEWSHOT = pd.DataFrame()


def outcomes(seeds: int = 1, right: float = 0.5, identities: int = 12) -> pd.DataFrame:
    """Four images of each identity, two of which are turned to the other of two views and one of these is a copy.

    The first `right` of all identities are recognised; every other view is right.
    """
    rows = [
        (seed, 0, f"i{n}", f"i{n}_{k}.png", k % 2, k // 2, 0 if n < right * identities else 7, k % 2 == 0)
        for seed in range(seeds)
        for n in range(identities)
        for k in range(4)
    ]
    columns = ["seed", "draw", "identity", "image", "source", "target", "rank", "view_right"]
    table = pd.DataFrame(rows, columns=columns)
    cross = table["source"] != table["target"]
    copied = table["view_right"].astype(float).where(cross)
    return table.assign(copied_pixels=copied, copied_features=1 - copied)


@pytest.fixture
def table() -> pd.DataFrame:
    measured = [
        Measured("vanilla", Trained("-", 1000, 640, 32, 99), "random", 20, outcomes()),
        Measured("ours", Trained("8", 2345, 640, 32, 99), "random", 20, outcomes(seeds=3, right=0.75)),
        Measured("ours", Trained("8", 2345, 640, 32, 99), "random", 5, outcomes(right=1.0)),
        Measured("ours", Trained("8", 2345, 640, 32, 99), "grouped", 5, outcomes(right=0.25), left_out=3),
        Measured("copy", Trained(), "random", 20, outcomes(right=0.25)),
    ]
    models = pd.DataFrame({"model": ["ours", "vanilla"], "macs": pd.array([13_761_536, None], "Int64")})
    return tables.identity_table(measured, "smoke", models)


def identity_text(table: pd.DataFrame) -> str:
    return markdown(tables.identity_sheet(table))


def diagnostics_text(table: pd.DataFrame) -> str:
    return markdown(tables.diagnostics_sheet(table))


def ablation_text(table: pd.DataFrame) -> str:
    return markdown(ablation_sheet(ablation_table(table)))


def test_rows_are_sorted_and_rates_are_fractions(table: pd.DataFrame) -> None:
    assert table[tables.KEYS].to_numpy().tolist() == [
        ["smoke", "ours", "grouped", 5],
        ["smoke", "ours", "random", 5],
        ["smoke", "ours", "random", 20],
        ["smoke", "vanilla", "random", 20],
        ["smoke", "copy", "random", 20],
    ]
    assert table["top1"].tolist() == [0.25, 1.0, 0.75, 0.5, 0.25]
    assert table["joint"].tolist() == [0.125, 0.5, 0.375, 0.25, 0.125]
    assert table["n_seeds"].tolist() == [1, 1, 3, 1, 1]
    assert table["n_images"].tolist() == [48] * 5
    assert table["n_excluded"].tolist() == [3, 0, 0, 0, 0]
    assert table["top5"].isna().tolist() == [True, True, False, False, False]
    vanilla = table.iloc[3]
    assert vanilla["top1_ci_low"] < 0.5 < vanilla["top1_ci_high"]


def test_every_rate_has_its_interval(table: pd.DataFrame) -> None:
    for rate in ALL_RATES:
        own = table[table[rate].notna()]
        assert len(own) > 0
        assert (own[f"{rate}_ci_low"] <= own[rate]).all()
        assert (own[f"{rate}_ci_high"] >= own[rate]).all()


def test_same_view_and_cross_view_targets_and_copies_are_apart() -> None:
    columns = {
        "source": [0, 0, 1, 1],
        "target": [0, 1, 0, 1],
        "rank": [0, 0, 5, 4],
        "view_right": [True, False, True, False],
        "copied_pixels": [np.nan, 1, 0, np.nan],
        "copied_features": [np.nan, 0, np.nan, np.nan],
    }
    found = all_rates(pd.DataFrame(columns, index=[3, 3, 3, 3]), 20)
    assert list(found) == list(ALL_RATES)
    expected = {
        "top1": [1, 1, 0, 0],
        "top5": [1, 1, 0, 1],
        "view": [1, 0, 1, 0],
        "joint": [1, 0, 0, 0],
        "top1_same": [1, None, None, 0],
        "top1_cross": [None, 1, 0, None],
        "view_same": [1, None, None, 0],
        "view_cross": [None, 0, 1, None],
        "joint_same": [1, None, None, 0],
        "joint_cross": [None, 0, 0, None],
        "copy_rate_pixels": [None, 1, 0, None],
        "copy_rate_features": [None, 0, None, None],
    }
    assert {rate: [None if np.isnan(v) else v for v in found[rate]] for rate in found} == expected


def test_every_row_says_on_which_terms_the_model_was_trained(table: pd.DataFrame) -> None:
    assert table["parameters"].isna().tolist() == [False, False, False, False, True]
    assert table["parameters"].tolist()[:4] == [2345, 2345, 2345, 1000]
    assert table["images_seen"].tolist()[:4] == [640] * 4
    assert table["batch_size"].tolist()[:4] == [32] * 4
    assert table["train_images"].tolist()[:4] == [99] * 4
    assert table["connection_size"].tolist() == ["8", "8", "8", "-", "-"]


def test_ablation_has_the_rows_of_table_2_in_its_order(table: pd.DataFrame) -> None:
    rows = ablation_table(table)
    assert rows[["row", "model", "nc"]].to_numpy().tolist() == [[1, "vanilla", 20], [8, "ours", 5], [8, "ours", 20]]
    assert rows["paper"].tolist() == ["vanilla"] + 2 * ["vanilla + CNC(28) + AIM"]
    text = markdown(ablation_sheet(rows))
    names = ("joint on other views", "joint", "top-1", "top-5")
    rates = " | ".join(f"{nc}c {name} %" for nc in (5, 20) for name in names)
    assert f"| version | connection size | parameters | MACs, millions | warm-up steps | {rates} | seeds |" in text
    first, last = (line for line in text.splitlines() if line.startswith("| vanilla"))
    assert first.endswith("| 1 |")
    assert last.endswith("| 1 (5c), 3 (20c) |")  # of ours
    same = markdown(ablation_sheet(rows[rows["nc"] == 20]))
    assert [line.split(" | ")[-1] for line in same.splitlines() if line.startswith("| vanilla")] == ["1 |", "3 |"]
    assert "| vanilla | - | 1,000 | - | 0 | n/a | n/a | n/a | n/a | 25.0 [" in text
    (ours,) = (line for line in text.splitlines() if line.startswith("| vanilla + CNC(28) + AIM |"))
    cells = [cell.partition(" ")[0] for cell in ours.split(" | ")[1:9]]
    assert cells == ["8", "2,345", "13.8", "0", "50.0", "50.0", "100.0", "n/a"]
    assert "640 images in batches of 32, drawn from 99" in text


def test_no_ablation_is_no_error(table: pd.DataFrame) -> None:
    controls = table[table["model"] == "copy"]
    assert ablation_table(controls).empty
    assert "No version of Table 2 is measured." in ablation_text(controls)
    assert "none of these rows was trained" in identity_text(controls)


def test_csv_is_fixed_to_the_byte(table: pd.DataFrame, tmp_path: Path) -> None:
    write_csv(table[tables.COMPARED], tmp_path / "identity.csv")
    content = (tmp_path / "identity.csv").read_bytes()
    assert b"\r" not in content
    header, _, ours, *_, copy = content.decode().splitlines()
    expected = [
        name
        for rate in ("joint_cross", "joint", "top1", "top5", "view")
        for name in (rate, f"{rate}_ci_low", f"{rate}_ci_high")
    ]
    assert header.split(",")[4:19] == expected
    assert header.startswith("profile,model,split,nc,joint_cross,")
    assert header.endswith(",view_ci_high,n_seeds,n_draws,parameters,macs,images_seen,warm_up_steps")
    assert copy.startswith("smoke,copy,random,20,0.125000,")
    assert copy.endswith(",1,1,,,,")
    assert ours.startswith("smoke,ours,random,5,0.500000,")
    assert ours.endswith(",1,1,2345,13761536,640,0")
    assert ",1.000000,1.000000,1.000000,,,,0.500000," in ours
    write_csv(table[tables.COMPARED], tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == content


def test_the_diagnostics_have_all_other_columns(table: pd.DataFrame) -> None:
    found = tables.diagnostics(table)
    assert {*tables.COMPARED, *found} == {*table}
    assert {*tables.COMPARED} & {*found} == {*tables.KEYS, "n_seeds"}
    assert list(found)[:8] == [*tables.KEYS, "n_seeds", "connection_size", "batch_size", "train_images"]
    columns = [f"{name}{end}" for name in ("sharpness", "kid") for end in ("", "_ci_low", "_ci_high")]
    assert list(found)[-10:] == ["copy_rate_features_ci_high", *columns, "kid_sd", "n_images", "n_excluded"]


def test_sharpness_and_kid_stand_in_the_diagnostics_with_an_interval_over_seeds(table: pd.DataFrame) -> None:
    assert table[tables.OF_QUALITY].isna().all(axis=None)  # rows stored before they were measured
    assert "KID" not in diagnostics_text(table)
    measured = [
        Measured("ours", Trained("8", 2345, 640, 32, 99), "random", 20, outcomes(seeds=3)),
        Measured("copy", Trained(), "random", 20, outcomes()),
        Measured("vanilla", Trained("-", 1000, 640, 32, 99), "random", 20, outcomes()),
    ]
    seen = [("ours", 0, 0.7, 1.1, 0.1), ("ours", 1, 0.8, 1.2, 0.2), ("ours", 2, 0.9, 1.3, 0.3)]
    quality = pd.DataFrame([*seen, ("copy", 0, 1.0, -0.01, 0.04)], columns=QUALITY_COLUMNS)
    found = tables.identity_table(measured, "smoke", quality=quality).set_index("model")
    half = 0.1 * stats.t.ppf(0.975, 2) / np.sqrt(3)
    assert found.loc["ours", tables.OF_QUALITY].tolist() == pytest.approx(
        [0.8, 0.8 - half, 0.8 + half, 1.2, 1.2 - half, 1.2 + half, 0.2]
    )
    assert found.loc["copy", tables.OF_QUALITY].isna().tolist() == [False, True, True, False, True, True, False]
    text = diagnostics_text(found.reset_index())
    _, grid = text.split("## Sharpness and KID")
    assert "| ours | 80.0 [55.2, 104.8] | 1.200 [0.952, 1.448] | 0.200 |" in grid
    assert "| copy | 100.0 | -0.010 | 0.040 |" in grid
    assert "| vanilla |" not in grid
    assert "compares rows of this run alone" in grid


def test_markdown_shows_percent_and_says_what_intervals_cover(table: pd.DataFrame) -> None:
    text = identity_text(table)
    assert text.startswith("# Identity preservation, profile smoke\n")
    parts = re.split(r"## (.*)\n", text)[1:]
    assert parts[::2] == ["random split, 5 classes", "random split, 20 classes", "grouped split, 5 classes"]
    rates = "joint on other views % | joint % | top-1 % | top-5 % | view %"
    assert f"| model | connection size | parameters | MACs, millions | warm-up steps | {rates} | seeds |" in parts[1]
    for part, expected in ((1, ["50.0", "50.0", "100.0", "n/a"]), (3, ["37.5", "37.5", "75.0", "75.0"])):
        (ours,) = (line for line in parts[part].splitlines() if line.startswith("| ours | 8 | 2,345 | 13.8 | 0 |"))
        assert [cell.partition(" ")[0] for cell in ours.split(" | ")[5:9]] == expected
    assert "| vanilla | - | 1,000 | - |" in text  # its operations are not known
    assert "MACs: multiply-accumulates of one generated image" in text
    assert text.endswith("\n")


def test_joint_on_other_views_is_explained_by_what_a_copy_has(table: pd.DataFrame) -> None:
    words = "Joint on other views, the leading rate, counts a generated image only if the KNN's first class is"
    copy = "With 20 classes a copy of the input scores 12.5 % on joint on other views, and 12.5 % on joint."
    for text in (identity_text(table), markdown(tables.headline(table))):
        assert words in text
        assert copy in text
    assert words in ablation_text(table)
    assert "a copy of the input" not in identity_text(table[table["model"] != "copy"])


def test_real_has_no_joint_on_other_views() -> None:
    own = outcomes()[lambda rows: rows["source"] == rows["target"]]
    measured = [
        Measured("real", Trained(), "random", 20, own.assign(view_right=True)),
        Measured("copy", Trained(), "random", 20, outcomes()),
        Measured("ours", Trained("8", 2345, 640, 32, 99), "random", 20, outcomes()),
    ]
    table = tables.identity_table(measured, "smoke")
    real = table.set_index("model").loc["real"]
    assert real[["joint_cross", "joint_cross_ci_low", "joint_cross_ci_high"]].isna().all()
    assert real["joint"] == 0.5
    sheet = tables.headline(table)
    assert list(sheet.grids[1].rows[0][:2]) == ["real", "-"]
    assert str(sheet.grids[1].rows[0][2]).startswith("50.0 [")
    assert "`real` has a dash, as it shows the view of the input alone." in sheet.notes[0]
    assert "| real | - | - | - | - | n/a | 50.0 [" in identity_text(table)
    assert "n/a" not in identity_text(table[table["model"] != "real"])
    assert metrics(table, NO_FEWSHOT)["real"] == {"nc20": {"joint": 0.5, "top1": 0.5, "top5": 0.5, "view": 1.0}}


def headline_text(table: pd.DataFrame) -> str:
    return markdown(tables.headline(table))


@pytest.mark.parametrize("write", [identity_text, diagnostics_text, ablation_text, headline_text])
def test_a_warm_up_of_the_discriminator_is_stated(write: Callable[[pd.DataFrame], str]) -> None:
    terms = ("8", 2345, 640, 32, 99)
    measured = [
        Measured("copy", Trained(), "random", 20, outcomes()),
        Measured("ours", Trained(*terms, warm_up_steps=1300), "random", 20, outcomes()),
        Measured("vanilla", Trained(*terms), "random", 20, outcomes()),
    ]
    table = tables.identity_table(measured, "smoke")
    assert table["warm_up_steps"].tolist() == [1300, 0, pd.NA]
    words = "Warm-up: before adversarial training the discriminator was trained for the stated number of steps on real"
    assert words in write(table)
    assert "other models have none." in write(table)
    assert "Warm-up: " not in write(table[table["model"] != "ours"])
    if write is not diagnostics_text:
        assert "| 1,300 |" in write(table)


@pytest.mark.parametrize("write", [identity_text, diagnostics_text, ablation_text])
def test_which_rows_an_interval_covers_is_said_where_they_differ(
    table: pd.DataFrame, write: Callable[[pd.DataFrame], str]
) -> None:
    mixed = f"rows with 3 training seeds or more: {BETWEEN_SEEDS}; rows with fewer: {WITHIN_MODEL}. Budget"
    assert f"In brackets: {mixed}" in write(table)
    assert f"In brackets: {BETWEEN_SEEDS}. Budget" in write(table[table["n_seeds"] == 3])
    assert f"In brackets: {WITHIN_MODEL}. Budget" in write(table[table["n_seeds"] < 3])


@pytest.mark.parametrize("write", [identity_text, diagnostics_text])
def test_the_text_says_what_the_grouped_split_lacks(table: pd.DataFrame, write: Callable[[pd.DataFrame], str]) -> None:
    text = write(table)
    assert "with a single one (3 here; none for N_c 20, for which too few identities are left)." in text
    assert "The two are not directly comparable: grouped draws other classes, and where these have few" in text
    assert "with a single one (3 here)." in write(table[table["nc"] == 5])
    larger = write(pd.concat([table, table[table["nc"] == 20].assign(nc=8)]))
    assert "none for N_c 8, 20, for which" in larger
    random = write(tables.random_split(table))
    assert "the paper's random one alone. A grouped one needs a group of two images or more, and as many" in random
    assert "(3 here" not in random
    assert "comparable" not in random


def test_same_and_cross_view_targets_have_a_table_of_their_own(table: pd.DataFrame) -> None:
    main, second = identity_text(table), diagnostics_text(table)
    assert "| model | joint cross % | joint same % | top-1 cross % | top-1 same % | view cross % |" in second
    assert "| copy rate (features) % | seeds |" in second
    _, five, twenty, _ = second.split("## ")
    (line,) = (line for line in five.splitlines() if line.startswith("| ours |"))
    expected = ["50.0"] * 2 + ["100.0"] * 2 + ["50.0"] * 4 + ["1"]
    assert [cell.partition(" ")[0] for cell in line.split(" | ")[1:]] == expected
    (line,) = (line for line in twenty.splitlines() if line.startswith("| ours |"))
    assert line.endswith("] | 3 |")
    assert "cross %" not in main


def test_metrics_leave_out_what_is_no_number(table: pd.DataFrame) -> None:
    nested = metrics(table, NO_FEWSHOT)
    assert list(nested["ours"]["nc20"]) == ["joint_cross", "joint", "top1", "top5", "view"]
    assert nested["ours"]["nc5"] == {"joint_cross": 0.5, "joint": 0.5, "top1": 1.0, "view": 0.5}
    assert nested["ours"]["grouped_nc5"]["top1"] == 0.25
    assert nested["vanilla"]["nc20"] == {"joint_cross": 0.25, "joint": 0.25, "top1": 0.5, "top5": 0.5, "view": 0.5}
    assert "NaN" not in json.dumps(nested)


def test_ablation_is_of_the_random_split(table: pd.DataFrame) -> None:
    assert set(ablation_table(table)["split"]) == {"random"}


def test_a_grid_has_rows_of_columns(tmp_path: Path) -> None:
    shades = [-1.0, 0.0, 1.0]
    columns = [torch.full((2, 3, 32, 32), shade) for shade in shades]
    columns[0][1] = 1.0
    save_columns(columns, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (4 + 2 * 100, 4 + 3 * 100, 3)
    middles = [[int(pixels[54 + 100 * row, 54 + 100 * column, 0]) for column in range(3)] for row in range(2)]
    assert middles == [[0, 128, 255], [255, 128, 255]]


class Stored:
    """As much of an image store as choosing samples needs."""

    def __init__(self, manifest: pd.DataFrame) -> None:
        self.manifest = manifest

    def subset(self, split: str) -> np.ndarray:
        return np.flatnonzero(self.manifest["split"] == split)


@pytest.mark.parametrize("rows", [1, 4, 9, 50])
def test_samples_are_spread_over_identities_and_views(rows: int) -> None:
    names = [f"i{n:02}" for n in range(20) for _ in range(3)]
    manifest = pd.DataFrame({"identity": names, "view_label": [0, 1, 2] * 20, "split": "standard"})
    extra = pd.DataFrame({"identity": ["a"], "view_label": [0], "split": ["auxiliary"]})
    manifest = pd.concat([extra, manifest], ignore_index=True)
    chosen = sample_positions(Stored(manifest), 3, rows)  # type: ignore[arg-type]
    picked = manifest.iloc[chosen]
    assert len(chosen) == picked["identity"].nunique() == min(rows, 20)
    assert set(picked["split"]) == {"standard"}
    assert picked["view_label"].tolist() == [n % 3 for n in range(len(chosen))]
