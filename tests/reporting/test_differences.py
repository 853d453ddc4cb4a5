"""Tables of paired differences from planted outcomes."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.reporting.differences import IDENTITY_KEYS, differences_table, identity_families, sheet
from benchmark.reporting.sheets import markdown
from benchmark.results.records import Measured, Trained
from benchmark.results.rows import write_csv


def measured(model: str, rights: list[float], split: str = "random", nc: int = 20) -> Measured:
    """A model whose share of recognised images is given for each training seed; half of all views are right."""
    random = np.random.default_rng(len(model))
    rows = [
        (seed, f"i{n % 20:02}", f"{n:03}.png", n % 2, target, int(random.random() > right), (n + target) % 2 == 0)
        for seed, right in enumerate(rights)
        for n in range(100)
        for target in (0, 1)
    ]
    table = pd.DataFrame(rows, columns=["seed", "identity", "image", "source", "target", "rank", "view_right"])
    return Measured(model, Trained(), split, nc, table.assign(draw=0, copied_pixels=0.0, copied_features=0.0))


def table_of(*models: Measured) -> pd.DataFrame:
    return differences_table(identity_families(models), IDENTITY_KEYS, "smoke")


def text_of(table: pd.DataFrame) -> str:
    return markdown(sheet(table, IDENTITY_KEYS, "identity"))


@pytest.fixture
def table() -> pd.DataFrame:
    return table_of(
        measured("ours", [0.9, 0.91, 0.89]),
        measured("vanilla", [0.5, 0.51, 0.48]),
        measured("unet", [0.7, 0.73, 0.72]),
        measured("dr_gan", [0.2, 0.21, 0.18]),
        measured("copy", [1.0]),
        measured("ours", [0.8], "grouped", 5),
        measured("vanilla", [0.5], "grouped", 5),
    )


def test_models_are_compared_with_vanilla_and_the_best_baseline(table: pd.DataFrame) -> None:
    random = table[(table["split"] == "random") & (table["metric"] == "joint")]
    assert random[["model", "reference", "other"]].to_numpy().tolist() == [
        ["ours", "vanilla", "vanilla"],
        ["dr_gan", "vanilla", "vanilla"],
        ["unet", "vanilla", "vanilla"],
        ["ours", "best baseline", "unet"],
        ["dr_gan", "best baseline", "unet"],
    ]
    assert random["verdict"].tolist() == ["higher", "lower", "higher", "higher", "lower"]
    assert table["metric"].drop_duplicates().tolist() == ["joint_cross", "joint", "top1"]
    assert table.groupby(list(IDENTITY_KEYS)).size().to_dict() == {
        ("joint", "grouped", 5): 1,
        ("joint", "random", 20): 5,
        ("joint_cross", "grouped", 5): 1,
        ("joint_cross", "random", 20): 5,
        ("top1", "grouped", 5): 1,
        ("top1", "random", 20): 5,
    }


def test_each_measurement_is_a_family_of_its_own(table: pd.DataFrame) -> None:
    for _, rows in table[table["n_seeds"] == 3].groupby(list(IDENTITY_KEYS)):
        smallest = rows["p"].idxmin()
        assert rows["p_holm"][smallest] == pytest.approx(min(1, 5 * rows["p"][smallest]))
    assert table.loc[table["n_seeds"] == 1, ["p", "p_holm"]].isna().all(axis=None)


def test_markdown_says_what_the_verdicts_rest_on(table: pd.DataFrame) -> None:
    text = text_of(table)
    assert text.startswith("# Paired differences in identity, profile smoke\n")
    heads = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    names = ("joint on other views", "joint", "top-1")
    assert heads == [f"{name}, {part}" for name in names for part in ("grouped, nc 5", "random, nc 20")]
    (line,) = text_of(table[table["split"] == "grouped"].iloc[:1]).splitlines()[6:7]
    assert line.startswith("| ours | vanilla | +")
    assert line.endswith("] | 1 |  |  | needs 3 seeds, has 1 |")
    assert "| ours | unet (best baseline) | +" in text
    for words in ("a paired t test over", "a paired 95 % bootstrap interval", "by p (Holm)", "data it is compared on"):
        assert words in text
    few = text_of(table[table["n_seeds"] == 1])
    assert "t test" not in few
    assert "Verdicts are" not in few
    many = text_of(table[table["n_seeds"] == 3])
    assert "bootstrap" not in many


def test_the_best_baseline_is_explained_where_a_row_is_compared_with_it(table: pd.DataFrame) -> None:
    words = "The best baseline is the highest"
    assert words in text_of(table[table["reference"] == "best baseline"])
    alone = text_of(table[table["reference"] == "vanilla"])
    assert words not in alone
    assert "Verdicts are" in alone


@pytest.mark.parametrize("models", [[], ["ours"], ["copy", "vanilla"]])
def test_nothing_to_compare_is_no_error(models: list[str], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = table_of(*(measured(name, [0.5]) for name in models))
    write_csv(table, tmp_path / "differences.csv")
    header = "profile,metric,split,nc,model,reference,other,difference,ci_low,ci_high,n_seeds,p,p_holm,verdict\n"
    assert (tmp_path / "differences.csv").read_text() == header
    assert sheet(table, IDENTITY_KEYS, "identity").notes == ["No two models are measured that could be compared."]


def test_a_difference_that_rounds_to_nothing_has_no_minus() -> None:
    table = table_of(measured("ours", [0.5]), measured("vanilla", [0.5]))
    text = text_of(table.assign(difference=-1e-9, ci_low=-2e-9))
    assert "| +0.0 [+0.0, +" in text
