"""All stages on a small folder of pictures, with the tiny plug-in model: what is made, kept and made again."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from benchmark.config import settings
from benchmark.config.settings import CARS, Data
from benchmark.data.image_store import open_store
from benchmark.execution.stages import measure_identity, train_judges
from benchmark.reporting import figures, render
from benchmark.reporting.tables import stated
from benchmark.results.records import Trained
from benchmark.results.rows import read, write
from benchmark.run import sources
from benchmark.run.artifacts import Artifact
from benchmark.run.cells import Cell
from benchmark.run.workspace import Run
from benchmark.stages.collect import trained_on
from benchmark.stages.data import ESTIMATED
from benchmark.stages.pipeline import run_everything
from benchmark.stages.report import report
from benchmark.stages.sample import sample_images
from benchmark.stages.status import states
from tests.stages.helpers import changed, copy_of_data, do, identity_csv, reported, tables
from tests.tools import PROJECT, TINY

NAMES = ("tiny", "real", "copy", "mean_image")
SPLITS = ("grouped", "random")
MEASURED = ["model", "split", "nc"]


def test_the_table_has_a_row_for_each_model_split_and_number_of_classes(finished: Run) -> None:
    table = identity_csv(finished)
    expected = [(name, split, nc) for name in NAMES for split in SPLITS for nc in (2, 3)]
    assert list(table[MEASURED].itertuples(index=False, name=None)) == expected
    assert table.groupby("split")["n_excluded"].unique().map(list).to_dict() == {"grouped": [2], "random": [0]}
    assert set(table["profile"]) == {"test"}
    assert table["top5"].isna().all()
    assert table.groupby("model")["joint_cross"].count().to_dict() == {"copy": 4, "mean_image": 4, "real": 0, "tiny": 4}
    assert table.groupby("model")["warm_up_steps"].first().dropna().to_dict() == {"tiny": 0}
    for rate in ("top1", "view", "joint"):
        assert table[rate].between(0, 1).all()
        assert (table[f"{rate}_ci_low"] <= table[rate]).all()
        assert (table[f"{rate}_ci_high"] >= table[rate]).all()
    assert (table["joint"] <= table[["top1", "view"]].min(axis=1)).all()
    assert table.set_index("model")["n_seeds"].loc["tiny"].tolist() == [2] * 4
    assert set(table["n_draws"]) == {2}


def test_joint_on_other_views_comes_first_in_the_metrics(finished: Run) -> None:
    rates = {name: json.loads((finished.results / f"metrics/{name}.json").read_text())["nc3"] for name in NAMES}
    for name, own in rates.items():
        assert list(own) == ["joint_cross", "joint", "top1", "view"][name == "real" :]
    table = identity_csv(finished).query("split == 'random' and nc == 3").set_index("model")["joint_cross"]
    assert rates["tiny"]["joint_cross"] == table["tiny"]


def test_copying_is_as_good_as_the_real_image_for_identity(finished: Run) -> None:
    """Image by image; in the table views count the same for real images, and for copies each image does."""
    outcomes = pd.read_parquet(finished.results / "rows" / "identity.parquet")
    keys = ["split", "nc", "draw", "image"]
    rank = {name: own.groupby(keys)["rank"].first() for name, own in outcomes.groupby("model")}
    pd.testing.assert_series_equal(rank["copy"], rank["real"])


def test_outcomes_agree_with_the_table(finished: Run) -> None:
    outcomes = pd.read_parquet(finished.results / "rows" / "identity.parquet")
    table = identity_csv(finished).set_index(MEASURED)
    found = outcomes.groupby(MEASURED)
    assert set(found.groups) == set(table.index)
    for key, rows in found:
        right = rows["rank"] == 0
        mean = right.groupby(rows["target"]).mean().mean() if key[0] == "real" else right.mean()  # each view the same
        assert table.loc[key, "top1"] == pytest.approx(mean, abs=1e-6)
        assert table.loc[key, "n_images"] == rows["image"].nunique()


def test_the_grouped_split_tests_on_classes_of_several_groups(finished: Run) -> None:
    outcomes = pd.read_parquet(finished.results / "rows" / "identity.parquet").groupby("split")
    manifest = open_store(finished).manifest
    standard = manifest[manifest["split"] == "standard"].groupby("identity")["group"].nunique()
    several = set(standard.index[standard > 1])
    assert len(several) == 3
    assert set(outcomes.get_group("grouped")["identity"]) == several
    assert set(outcomes.get_group("random")["identity"]) > several


def test_the_view_matrix_adds_up_to_the_table(finished: Run) -> None:
    views = pd.read_csv(finished.results / "views.csv")
    assert set(views["source"]) == set(views["target"]) == set(CARS)
    table = identity_csv(finished).set_index(MEASURED)
    for key, rows in views.groupby(MEASURED):
        same = rows["source"] == rows["target"]
        for name, part in (("view", rows), ("view_same", rows[same]), ("view_cross", rows[~same])):
            if len(part):
                mean = (part["view"] * part["n"]).sum() / part["n"].sum() if key[0] != "real" else part["view"].mean()
                assert table.loc[key, name] == pytest.approx(mean, abs=2e-6)
    assert table.loc[["real"], "view_cross"].isna().all()
    assert "## random split, 2 classes" in (finished.results / "identity_diagnostics.md").read_text(encoding="utf-8")


def test_a_model_that_has_nothing_beside_it_is_compared_with_nothing(finished: Run) -> None:
    assert pd.read_csv(finished.results / "differences.csv").empty
    assert (
        (finished.results / "differences.md")
        .read_text(encoding="utf-8")
        .endswith("\n\nNo two models are measured that could be compared.\n")
    )


STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
OUTS = {*STAGES["collect"]["outs"], *STAGES["report"]["outs"], *STAGES["report"]["metrics"]}
WRITTEN = {"identity", "identity_diagnostics", "fewshot", "differences"}
OF_OWN, OF_PAPER = {"figures/accuracy_over_nc"}, {"ablation", "claims", "paper/figure_4", "paper/table_1"}


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False])
def test_the_rows_alone_give_everything_and_the_same_bytes_each_time(
    finished: Run, own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    stored = read(finished.results)
    rendered = settings.with_dataset(stored.facts.settings, "rendered")
    facts = stored.facts if own else stored.facts.model_copy(update={"settings": rendered})
    for results in (here, there):
        write(replace(stored, facts=facts), results)
    (there / "paper").mkdir()
    for kind in ("csv", "md", "tex"):
        (there / "paper" / f"figure_5.{kind}").write_text("of faces", encoding="utf-8")
    monkeypatch.setattr(render, "draw_all", figures.draw_all)
    report(replace(finished, results=here, folder=Path("gone")))
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", "report", str(there)]
    subprocess.run(command, check=True, capture_output=True)
    made = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    assert made == {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()}
    written = WRITTEN | (OF_OWN if own else OF_PAPER)
    assert {f"{name}.{kind}" for name in written for kind in ("md", "tex")} < made
    assert not {f"{name}.md" for name in (OF_PAPER if own else OF_OWN)} & made
    assert {f"figures/samples_{name}.svg" for name in ("copy", "mean_image", "tiny")} < made
    assert {f"metrics/{name}.json" for name in ("real", "copy", "mean_image", "tiny", "no_augmentation")} < made
    for name in made:
        assert (here / name).read_bytes() == (there / name).read_bytes(), name
        assert {f"results/{path}" for path in (name, *Path(name).parents)} & OUTS, f"{name} is no output of a stage"


def test_what_is_made_from_rows_needs_no_torch() -> None:
    code = "import sys, benchmark.reporting.render, benchmark.regression.comparison; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_report_removes_the_tables_of_features_that_may_have_changed(finished: Run) -> None:
    for name in ("sensitivity.csv", "sensitivity.md"):
        (finished.results / name).write_text("stale", encoding="utf-8")
    reported(finished)
    assert not list(finished.results.glob("sensitivity.*"))


def test_the_tables_say_which_labels_are_estimates(finished: Run) -> None:
    pages = ("identity.md", "identity_diagnostics.tex", "claims.md", "paper/table_1.md", "report.html")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Data, "own", property(lambda _: False))  # with the paper's exhibits
            for sentence in ("Left and right are guesses.", ""):
                (finished.data / ESTIMATED).write_text(sentence, encoding="utf-8")
                reported(finished)
                said = ["are guesses" in (finished.results / page).read_text(encoding="utf-8") for page in pages]
                assert said == [bool(sentence)] * len(pages)
    finally:
        (finished.data / ESTIMATED).write_text("", encoding="utf-8")
        reported(finished)


def test_a_second_run_skips_everything(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = tables(finished)
    capsys.readouterr()
    run_everything(finished)
    said = capsys.readouterr().out
    assert "make (" not in said
    assert "resume (" not in said
    judges, trained, measured, fewshot = 2, 2, 3 + 2, 2 * (2 + 1)
    assert said.count("done, nothing changed") == judges + trained + measured + fewshot
    assert tables(finished) == before


def test_seeds_differ_and_the_discriminators_are_not_counted(finished: Run) -> None:
    records = [Artifact("generator", "tiny", n).cell(finished).record for n in (0, 1)]
    weights = [record["files"]["generator.safetensors"] for record in records]
    assert weights[0] != weights[1]
    assert records[0]["parameters"] == 3 * 3 + 3
    assert records[0]["map"] == "-"


def test_other_numbers_of_classes_are_added(finished: Run) -> None:
    before = identity_csv(finished)
    more = changed(finished, evaluation__nc=[4], seeds=1)
    measure_identity(more)
    reported(more)
    after = identity_csv(finished)
    pd.testing.assert_frame_equal(after[after["nc"] != 4].reset_index(drop=True), before)
    assert after.loc[after["nc"] == 4, "split"].tolist() == ["random"] * 4  # three classes have groups
    text = (finished.results / "identity.md").read_text(encoding="utf-8")
    assert "(2 here; none for N_c 4, for which too few identities are left)" in text
    shutil.rmtree(finished.folder / "identity" / "tiny" / "seed0" / "random/nc4")
    for name in ("copy", "mean_image", "real"):
        shutil.rmtree(finished.folder / "identity" / name / "seed0" / "random/nc4")
    reported(finished)
    pd.testing.assert_frame_equal(identity_csv(finished), before)


def test_rows_that_are_out_of_date_are_not_reported(finished: Run) -> None:
    before = tables(finished)
    other = replace(changed(finished, training__images=72), results=Path("elsewhere"))
    reported(other)
    assert set(identity_csv(other)["model"]) == {"copy", "mean_image", "real"}
    assert tables(finished) == before


def test_a_change_of_generate_alone_is_measured_again(finished: Run, tmp_path: Path) -> None:
    copy = replace(
        finished, folder=tmp_path / "runs" / "run", results=tmp_path / "results", plugins=(tmp_path / "tiny.py",)
    )
    shutil.copyfile(TINY, tmp_path / "tiny.py")
    run_everything(copy)
    before = identity_csv(copy)
    text = TINY.read_text(encoding="utf-8")
    (tmp_path / "black.py").write_text(
        text + "\n\nTiny.generate = lambda self, image, view_code, noise: image * 0 - 1\n", encoding="utf-8"
    )
    shutil.copyfile(tmp_path / "black.py", tmp_path / "tiny.py")
    sources.code_hash.cache_clear()
    run_everything(copy)
    after = identity_csv(copy)
    same = before["model"] != "tiny"
    pd.testing.assert_frame_equal(before[same], after[same])
    assert not before[~same].equals(after[~same])


def test_a_changed_setting_trains_again(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run = copy_of_data(changed(finished, training__images=16), "again")
    do(run, "train", "tiny")
    do(changed(run, training__images=32), "train", "tiny")
    said = capsys.readouterr().out
    assert "models/tiny/seed0: make (nothing there yet)" in said
    assert "models/tiny/seed0: make (training.images changed from 16 to 32)" in said
    do(run, "train", "tiny")
    assert "models/tiny/seed0: taken from alone/again/runs/.kept/models/tiny/seed0/" in capsys.readouterr().out


def test_extractors_repeat(finished: Run) -> None:
    run = copy_of_data(finished, "repeated")
    train_judges(run)
    for task in ("identity", "view"):
        old, new = (Cell(each.folder / "extractors" / task).record for each in (finished, run))
        assert old == new


def test_the_store_keeps_to_the_split(finished: Run) -> None:
    store = open_store(finished)
    names = {name: set(store.manifest["identity"].iloc[store.subset(name)]) for name in ("auxiliary", "standard")}
    assert (len(names["auxiliary"]), len(names["standard"])) == (6, 5)
    assert not names["auxiliary"] & names["standard"]


def test_status_lists_every_cell(finished: Run) -> None:
    found = {name: state for name, state, _ in states(finished)}
    assert {"models/tiny/seed0", "models/tiny/seed1", "extractors/view"} <= set(found)
    assert {f"identity/{name}/seed0/{split}/nc{nc}" for name in NAMES for split in SPLITS for nc in (2, 3)} <= set(
        found
    )
    assert set(found.values()) == {"done"}


def test_samples_of_the_standard_set(finished: Run) -> None:
    (grid,) = sample_images(finished, "tiny", 1, None, Path("samples"))
    with Image.open(grid) as image:
        assert image.width > 4 + 6 * 100  # input and five views, left of them the identities
        assert image.height == 20 + 4 + 5 * 100  # five identities, above them the views


def test_samples_of_own_pictures(finished: Run) -> None:
    folder = Path("own")
    folder.mkdir()
    for name in ("a.png", "b.jpg"):
        Image.new("RGB", (50, 40), (200, 30, 30)).save(folder / name)
    written = sample_images(finished, "tiny", 0, folder, Path("turned"))
    assert {path.name for path in written} == {"tiny_seed0.png"} | {f"{n}_{v}.png" for n in "ab" for v in CARS}
    for path in written[1:]:
        with Image.open(path) as image:
            assert image.size == (32, 32)


def test_a_training_run_states_its_warm_up_and_a_control_has_none() -> None:
    record = {"map": "8", "parameters": 1000, "images": 640, "auxiliary_images": 90, "warm_up_steps": 300}
    assert trained_on(record | {"spec": {"batch_size": 32}}) == Trained("8", 1000, 640, 32, 90, warm_up_steps=300)
    assert set(stated(trained_on({})).values()) == {None}


def test_pictures_of_subfolders_keep_their_places_and_have_names_in_the_grid(
    finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("tree/a.png", "tree/cars/a.png", "tree/cars/._a.png", "tree/out/old.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (50, 40), (200, 30, 30)).save(name)
    written = sample_images(finished, "tiny", 0, Path("tree"), Path("tree/out"))
    places = {path.relative_to("tree/out").as_posix() for path in written}
    assert places == {"tiny_seed0.png"} | {f"{n}_{v}.png" for n in ("a", "cars/a") for v in CARS}
    assert "tree: passed over 1 files of the system" in capsys.readouterr().out
    with Image.open(written[0]) as grid:
        assert grid.width > 4 + 6 * 100  # the names of the files stand left of the images
        assert grid.height > 4 + 2 * 100  # the views above
        assert min(grid.convert("L").crop((0, 0, grid.width, 18)).getextrema()) < 100
