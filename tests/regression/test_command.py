"""`benchmark compare`: exit codes, what is said, and the file for a summary."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark import cli
from benchmark.results import rows
from benchmark.results.rows import write_csv
from tests.regression.folders import OURS, SETTINGS, results, without_rows
from tests.reporting.made import IMAGES, made_rows

MOVED = {"ours": [0.9, 0.91, 0.92], "cr_gan": [0.5, 0.52, 0.51], "real": [0.9]}


def run(*line: object) -> int:
    """Run `benchmark compare`; return its exit code."""
    sys.argv = ["benchmark", "compare", *map(str, line)]
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def _argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [])


def test_equal_results_end_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(results(tmp_path / "old"), results(tmp_path / "new")) == 0
    said = capsys.readouterr().out
    assert "36 rows compared, 36 within their tolerance. No rate moved at all." in said
    assert "|" not in said


def test_what_moved_is_said_worst_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = results(tmp_path / "old", OURS | {"dr_gan": [0.2, 0.21, 0.19]})
    assert run(old, results(tmp_path / "new", MOVED | {"dr_gan": [0.4, 0.41, 0.39]})) == 1
    said = capsys.readouterr().out
    lines = [line.split(" | ") for line in said.splitlines() if line.startswith("| ")][1:]
    assert [(line[0], line[2], line[3]) for line in (lines[0], lines[-1])] == [
        ("| missing", "unet", "12 metrics"),
        ("| new", "cr_gan", "12 metrics"),
    ]
    moved = lines[1:-1]
    assert {(line[0], line[2]) for line in moved} == {("| moved", "ours"), ("| moved", "dr_gan")}
    assert moved[0][4:7] == ["52.00", "91.00", "+39 [+36.5, +41.5]"]  # of the seeds: 40, 39 and 38
    ratios = [float(line[8]) for line in moved]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > ratios[-1]
    counted = f"36 rows compared, {36 - len(moved)} within their tolerance, {len(moved)} moved, 12 missing, 12 new."
    assert f"{counted} Largest move: {ratios[0]:.2f} of its tolerance (random, N_c 20, ours, " in said


def test_a_lower_rate_has_moved_too(tmp_path: Path) -> None:
    assert run(results(tmp_path / "old"), results(tmp_path / "new", OURS | {"ours": [0.02, 0.0, 0.04]})) == 1


def test_a_fall_on_other_views_that_joint_does_not_show_has_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, made = results(tmp_path / "old"), made_rows(OURS, None, SETTINGS)
    for each in made.identity:
        table, number = each.outcomes, each.outcomes["image"].str[:3].astype(int)
        share = each.outcomes["seed"].map(dict(enumerate(OURS[each.model])))
        turned = share + 0.2 * (1 - 2 * table["target"])  # the input's own view is 0
        if each.model == "ours":
            table["rank"] = np.where(number < (IMAGES * turned).round(), 0, 9)
    rows.write(made, tmp_path / "new")
    assert run(old, tmp_path / "new") == 1
    said = capsys.readouterr().out
    moved = {tuple(line.split(" | ")[2:6]) for line in said.splitlines() if line.startswith("| moved")}
    assert moved == {
        ("ours", f"{rate}_{target}", "52.00", new)
        for rate in ("joint", "top1")
        for target, new in (("cross", "32.00"), ("same", "72.00"))
    }


def test_a_fall_of_joint_on_other_views_alone_has_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (without_rows(results(tmp_path / name)) for name in ("old", "new"))
    table = pd.read_csv(new / "identity.csv")
    rates = ["joint_cross", "joint_cross_ci_low", "joint_cross_ci_high"]
    table.loc[table["model"] == "ours", rates] -= 0.3
    write_csv(table, new / "identity.csv")
    assert run(old, new) == 1
    said = capsys.readouterr().out
    (moved,) = (line for line in said.splitlines() if line.startswith("| moved"))
    assert moved.startswith("| moved | random, N_c 20 | ours | joint_cross | 52.00 | 22.00 | -30 [")


def test_a_small_move_is_tolerated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(results(tmp_path / "old"), results(tmp_path / "new", OURS | {"ours": [0.51, 0.51, 0.55]})) == 0
    assert "36 rows compared, 36 within their tolerance. Largest move: 0.0" in capsys.readouterr().out


def test_one_seed_tolerates_nothing_and_says_how_to_record_a_spread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(results(tmp_path / "old", {"ours": [0.5]}), results(tmp_path / "new", {"ours": [0.505]})) == 1
    said = capsys.readouterr().out
    assert "+0.5 [" in said
    assert "| 0 | ∞ | paired, 1 seed |" in said
    assert "no model with 3 training seeds or more for any measurement" in said
    assert "`benchmark run --seeds 5` records a spread" in said


@pytest.mark.parametrize("sides", [("top1",), ("top1", "top1_ci_low", "top1_ci_high")])
def test_nan_on_one_side_is_said(tmp_path: Path, sides: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (results(tmp_path / name) / "identity.csv" for name in ("old", "new"))
    table = pd.read_csv(new, dtype=str)
    table.loc[table["model"] == "ours", sides] = ""
    table.to_csv(new, index=False)
    assert run(old, new) == 1
    assert "| NaN | random, N_c 20 | ours | top1 | 52.00 | NaN |" in capsys.readouterr().out
    assert run(new, new) == 0


def test_the_summary_is_appended_with_everything(tmp_path: Path) -> None:
    old, new, summary = results(tmp_path / "old"), results(tmp_path / "new", MOVED), tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    assert run(old, new, "--markdown", summary) == 1
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n# Results compared: old ")
    folded = text.split("<details>")[1]
    rows = [line for line in folded.splitlines() if line.startswith("| within")]
    assert f"<summary>{len(rows)} rows within their tolerance</summary>\n\n" in folded
    assert (
        "| within | random, N_c 20 | ours | view | 100.00 | 100.00 | +0 [+0, +0] | 0 | 0.00 | paired, 3 seeds |" in rows
    )
    run(old, old, "--markdown", summary)
    assert summary.read_text(encoding="utf-8").startswith(text)


def test_settings_and_versions_that_differ_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = results(tmp_path / "old"), results(tmp_path / "new")
    facts = json.loads((new / "rows/facts.json").read_text(encoding="utf-8"))
    facts["settings"]["training"]["images"] = 7
    facts["devices"], facts["commit"] = ["a GPU"], "fff"
    facts["failed"] = [{"cell": "models/unet/seed3", "status": "diverged", "reason": "the loss is nan"}]
    (new / "rows/facts.json").write_text(json.dumps(facts), encoding="utf-8")
    assert run(old, new) == 0
    listed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("- ")]
    assert sorted(listed) == [
        "- `commit`: 0123abc → fff",
        '- `devices`: ["a CPU"] → ["a GPU"]',
        "- `failed.models/unet/seed3`: not there → diverged, the loss is nan",
        f"- `settings.training.images`: {SETTINGS.training.images} → 7",
    ]


def test_tables_alone_are_compared_by_the_spread_in_their_intervals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = without_rows(results(tmp_path / "old"))
    assert run(old, without_rows(results(tmp_path / "new", OURS | {"ours": [0.51, 0.51, 0.55]}))) == 0
    assert "the old and new results have no rows/facts.json" in capsys.readouterr().out
    assert run(old, without_rows(results(tmp_path / "far", OURS | {"ours": [0.9, 0.91, 0.92]}))) == 1
    assert "| unpaired, tables alone, 3 seeds |" in capsys.readouterr().out


def test_bad_input_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "old", tmp_path / "new") == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'old'} does not exist;")


def test_an_update_says_that_generators_are_still_the_old_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = results(tmp_path / "old"), results(tmp_path / "new")
    assert run(old, new, "--update") == 0
    assert capsys.readouterr().out.endswith(f"{old} now holds what {new} holds\n")
    (old / "generators").mkdir()
    assert run(old, new, "--update") == 0
    assert capsys.readouterr().out.endswith(f"{old}/generators stays as it was; `benchmark export` renews it\n")
