"""All stages on a small folder of pictures, with the tiny plug-in model: what is made, kept, resumed and refused."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from benchmark import settings, sources
from benchmark.cells import Cell
from benchmark.cli import main
from benchmark.errors import BenchmarkError, InterruptedRun
from benchmark.seeding import generator
from benchmark.settings import CARS, Profile, override, with_dataset
from benchmark.stages.data import open_store, split
from benchmark.stages.everything import run_everything
from benchmark.stages.extractor import LABELS, load_networks, train_extractors
from benchmark.stages.identity import measure_identity
from benchmark.stages.report import report
from benchmark.stages.sample import sample_images
from benchmark.stages.status import cells
from benchmark.stages.train import train
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.workspace import Run
from models.interface import Batch
from tests.tools import PROJECT, TINY

CHANGES = {
    "data.root": "pictures",
    "data.annotations": "pictures/labels.csv",
    "data.auxiliary": 7,
    "data.standard": 5,
    "training.images": 64,
    "training.checkpoint_every": 2,
    "training.log_every": 1,
    "extractor.epochs": 1,
    "extractor.view_epochs": 1,
    "evaluation.nc": [2, 3],
    "evaluation.draws": 2,
    "models": ["tiny"],
    "seeds": 2,
}


def draw_pictures(folder: Path) -> None:
    """Twelve identities, two noisy pictures of each from each view."""
    folder.mkdir()
    random, rows = generator("pictures"), []
    for identity in range(12):
        colour = random.integers(60, 200, 3)
        for number in range(2 * len(CARS)):
            name, view = f"{identity}_{number}.png", CARS[number % len(CARS)]
            pixels = np.clip(colour + random.normal(0, 20, (36, 36, 3)), 0, 255).astype(np.uint8)
            pixels[:, 7 * (number % len(CARS)) :][:, :7] = 255
            Image.fromarray(pixels).save(folder / name)
            rows.append((name, f"id{identity:02}", view))
    pd.DataFrame(rows, columns=["image", "identity", "view"]).to_csv(folder / "labels.csv", index=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run after all stages; its folder is the working directory."""
    folder = tmp_path_factory.mktemp("stages")
    draw_pictures(folder / "pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        smoke = settings.profile("smoke", PROJECT / "params.yaml")
        run = Run(override(with_dataset(smoke, "table"), CHANGES), Path("runs/test"), Path("results"), "cpu", (TINY,))
        run_everything(run)
        yield run


def changed(run: Run, **changes: Any) -> Run:
    """Return the run with other settings; `__` stands for the dot in their names."""
    values = {key.replace("__", "."): value for key, value in changes.items()}
    settings_now: Profile = override(run.settings, values)
    return replace(run, settings=settings_now)


def tables(run: Run) -> dict[str, bytes]:
    return {name: (run.results / name).read_bytes() for name in ("identity.csv", "identity.md", "metrics.json")}


def identity_csv(run: Run) -> pd.DataFrame:
    return pd.read_csv(run.results / "identity.csv", dtype={"map": str})


def test_the_table_has_a_row_for_each_model_and_number_of_classes(finished: Run) -> None:
    table = identity_csv(finished)
    expected = [(name, nc) for name in ("copy", "mean_image", "real", "tiny") for nc in (2, 3)]
    assert list(zip(table["model"], table["nc"], strict=True)) == expected
    assert set(table["profile"]) == {"test"}
    assert table["top5"].isna().all()
    for rate in ("top1", "view", "joint"):
        assert table[rate].between(0, 1).all()
        assert (table[f"{rate}_ci_low"] <= table[rate]).all()
        assert (table[f"{rate}_ci_high"] >= table[rate]).all()
    assert (table["joint"] <= table[["top1", "view"]].min(axis=1)).all()
    assert table.set_index("model")["n_seeds"].loc["tiny"].tolist() == [2, 2]
    assert set(table["n_draws"]) == {2}


def test_copying_is_as_good_as_the_real_image_for_identity(finished: Run) -> None:
    table = identity_csv(finished).set_index(["model", "nc"])
    for nc in (2, 3):
        assert table.loc[("copy", nc), "top1"] == table.loc[("real", nc), "top1"]


def test_outcomes_agree_with_the_table(finished: Run) -> None:
    outcomes = pd.read_parquet(finished.results / "outcomes.parquet")
    table = identity_csv(finished).set_index(["model", "nc"])
    for (model, nc), rows in outcomes.groupby(["model", "nc"]):
        assert table.loc[(model, nc), "top1"] == pytest.approx((rows["rank"] == 0).mean(), abs=1e-6)
        assert table.loc[(model, nc), "n_images"] == rows["image"].nunique()


def test_figures_and_samples_are_there(finished: Run) -> None:
    names = {path.name for path in (finished.results / "figures").iterdir()}
    assert names == {"accuracy_over_nc.svg", "accuracy_over_nc.png"} | {
        f"samples_{name}.png" for name in ("copy", "mean_image", "tiny")
    }


def test_a_second_run_skips_everything(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = tables(finished)
    capsys.readouterr()
    run_everything(finished)
    said = capsys.readouterr().out
    assert "make (" not in said
    assert "resume (" not in said
    assert said.count("skip (done, nothing changed)") == 2 + 2 + 2 * (3 + 2)
    assert tables(finished) == before


def test_seeds_differ_and_the_critics_are_not_counted(finished: Run) -> None:
    records = [Cell(finished.folder / "models" / "tiny" / f"seed{n}", {}).record for n in (0, 1)]
    assert records[0]["weights_hash"] != records[1]["weights_hash"]
    assert records[0]["parameters"] == 3 * 3 + 3
    assert records[0]["map"] == "-"


def test_other_numbers_of_classes_are_added(finished: Run) -> None:
    before = identity_csv(finished)
    more = changed(finished, evaluation__nc=[4], seeds=1)
    measure_identity(more)
    report(more)
    after = identity_csv(finished)
    pd.testing.assert_frame_equal(after[after["nc"] != 4].reset_index(drop=True), before)
    assert (after["nc"] == 4).sum() == 4
    shutil.rmtree(finished.folder / "identity" / "tiny" / "seed0" / "nc4")
    for name in ("copy", "mean_image", "real"):
        shutil.rmtree(finished.folder / "identity" / name / "seed0" / "nc4")
    report(finished)
    pd.testing.assert_frame_equal(identity_csv(finished), before)


def test_rows_that_are_out_of_date_are_not_reported(finished: Run) -> None:
    before = tables(finished)
    other = replace(changed(finished, training__images=72), results=Path("elsewhere"))
    report(other)
    assert set(identity_csv(other)["model"]) == {"copy", "mean_image", "real"}
    with pytest.raises(BenchmarkError, match=r"spec\.images changed from 64 to 72.*run `benchmark run --model tiny`"):
        measure_identity(other)
    assert tables(finished) == before


def test_too_many_classes(finished: Run) -> None:
    with pytest.raises(BenchmarkError, match="N_c = 6 is more than the 5 identities of the standard set; choose at"):
        split(changed(finished, evaluation__nc=[3, 6]))


def test_too_many_classes_on_the_command_line(
    finished: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(PROJECT / "params.yaml", ".")
    line = "run --profile smoke --dataset table --data-root pictures --annotations pictures/labels.csv --nc 2 99"
    monkeypatch.setattr(sys, "argv", ["benchmark", *line.split(), "--set", "data.auxiliary=7"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: N_c = 99 is more than the 5 identities of the standard set")
    assert said.count("\n") == 1
    (folder,) = Path("runs").glob("adhoc-*")
    assert not {path.name for path in folder.iterdir()} & {"results", "models", "extractors"}


def test_an_unknown_model_stops_before_anything_is_made(finished: Run) -> None:
    nowhere = replace(changed(finished, models=["tiny", "tinny"]), folder=Path("runs/nowhere"))
    with pytest.raises(BenchmarkError, match=r"there is no model tinny: .*; did you mean tiny"):
        run_everything(nowhere)
    assert not nowhere.folder.exists()


def test_missing_steps_are_named(finished: Run) -> None:
    empty = replace(finished, folder=Path("runs/empty"))
    with pytest.raises(BenchmarkError, match=r"runs/empty/data/split\.parquet is missing; run `benchmark run`"):
        train(empty, "tiny", 0)
    shutil.copytree(finished.data, empty.data)
    with pytest.raises(BenchmarkError, match="extractors/identity holds no extractor of these settings"):
        measure_identity(empty)
    with pytest.raises(BenchmarkError, match="extractors/identity holds no extractor of these settings"):
        report(empty)


@pytest.mark.parametrize("task", LABELS)
def test_a_damaged_extractor_is_named(finished: Run, task: str) -> None:
    copy = replace(finished, folder=Path(f"runs/damaged_{task}"))
    shutil.copytree(finished.folder / "extractors", copy.folder / "extractors")
    path = copy.folder / "extractors" / task / "resnet18.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(BenchmarkError, match=f"{path} is damaged"):
        load_networks(copy, open_store(finished), torch.device("cpu"))


@pytest.mark.parametrize(
    "name",
    [
        "data/split.parquet",
        "data/store/images.json",
        "identity/tiny/seed0/outputs/outputs.safetensors",
        "identity/tiny/seed0/nc2/outcomes.parquet",
    ],
)
def test_a_damaged_file_is_named(finished: Run, tmp_path: Path, name: str) -> None:
    copy = replace(finished, folder=tmp_path / "run", results=tmp_path / "results")
    shutil.copytree(finished.folder, copy.folder)
    (copy.folder / name).write_bytes(b"\x00damaged")
    if name.endswith("outputs.safetensors"):
        shutil.rmtree(copy.folder / "identity/tiny/seed0/nc2")
    with pytest.raises(BenchmarkError, match=f"{name} is missing or damaged"):
        measured_and_reported(copy)
    assert not copy.results.exists()


def measured_and_reported(run: Run) -> None:
    measure_identity(run)
    report(run)


def test_a_change_of_generate_alone_is_measured_anew(finished: Run, tmp_path: Path) -> None:
    copy = replace(finished, folder=tmp_path / "run", results=tmp_path / "results", plugins=(tmp_path / "tiny.py",))
    shutil.copyfile(TINY, tmp_path / "tiny.py")
    run_everything(copy)
    before = identity_csv(copy)
    text = TINY.read_text(encoding="utf-8")
    (tmp_path / "black.py").write_text(
        text + "\n\nTiny.generate = lambda self, image, view_code, noise: image * 0 - 1\n", encoding="utf-8"
    )
    shutil.copyfile(tmp_path / "black.py", tmp_path / "tiny.py")
    sources._code_hash.cache_clear()
    run_everything(copy)
    after = identity_csv(copy)
    same = before["model"] != "tiny"
    pd.testing.assert_frame_equal(before[same], after[same])
    assert not before[~same].equals(after[~same])


def copy_of_data(run: Run, name: str) -> Run:
    other = replace(run, folder=Path("runs") / name)
    shutil.copytree(run.data, other.data)
    return other


def test_an_interrupted_model_is_resumed(
    finished: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, draw, drawn = copy_of_data(finished, "interrupted"), AuxiliaryBatches.draw, []

    def interrupting(batches: AuxiliaryBatches) -> Batch:
        drawn.append(1)
        if len(drawn) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return draw(batches)

    with monkeypatch.context() as patch:
        patch.setattr(AuxiliaryBatches, "draw", interrupting)
        with pytest.raises(InterruptedRun, match="saved after cycle 3"):
            train(run, "tiny", 0)
    folder = Path("models/tiny/seed0")
    assert Cell(run.folder / folder, {}).record["status"] == "interrupted"
    capsys.readouterr()
    train(run, "tiny", 0)
    assert "tiny seed 0: resume (was interrupted)" in capsys.readouterr().out
    for name in ("generator.safetensors", "log.csv"):
        assert (run.folder / folder / name).read_bytes() == (finished.folder / folder / name).read_bytes()


def test_a_changed_setting_trains_anew(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run = copy_of_data(changed(finished, training__images=16), "anew")
    train(run, "tiny", 0)
    train(changed(run, training__images=32), "tiny", 0)
    said = capsys.readouterr().out
    assert "tiny seed 0: make (nothing there yet)" in said
    assert "tiny seed 0: make (spec.images changed from 16 to 32)" in said


def test_a_model_that_diverges(finished: Run) -> None:
    plugin = Path("hopeless.py")
    plugin.write_text(TINY.read_text(encoding="utf-8").replace(".mean()", ".mean() / 0"), encoding="utf-8")
    run = replace(copy_of_data(finished, "diverging"), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match="hopeless seed 0 diverged: the loss loss is inf in cycle 1; lower"):
        train(run, "hopeless", 0)
    assert Cell(run.folder / "models/hopeless/seed0", {}).record["status"] == "diverged"


def test_a_model_that_refuses_the_settings(finished: Run) -> None:
    plugin = Path("picky.py")
    text = TINY.read_text(encoding="utf-8").replace("super().__init__(spec)", "raise ValueError('not for 32 px')")
    plugin.write_text(text, encoding="utf-8")
    run = replace(copy_of_data(finished, "picky"), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match="the model picky cannot be built: not for 32 px"):
        train(run, "picky", 0)
    assert not (run.folder / "models").exists()


def test_extractors_repeat(finished: Run) -> None:
    run = copy_of_data(finished, "again")
    train_extractors(run)
    for task in LABELS:
        old, new = (Cell(each.folder / "extractors" / task, {}).record for each in (finished, run))
        assert old == new


def test_the_store_keeps_to_the_split(finished: Run) -> None:
    store = open_store(finished)
    names = {name: set(store.manifest["identity"].iloc[store.subset(name)]) for name in ("auxiliary", "standard")}
    assert (len(names["auxiliary"]), len(names["standard"])) == (6, 5)
    assert not names["auxiliary"] & names["standard"]


def test_status_lists_every_cell(finished: Run) -> None:
    found = {name: state for name, state, _ in cells(finished.folder)}
    assert {"models/tiny/seed0", "models/tiny/seed1", "extractors/view", "identity/real/seed0/nc3"} <= set(found)
    assert set(found.values()) == {"done"}


def test_samples_of_the_standard_set(finished: Run) -> None:
    (grid,) = sample_images(finished, "tiny", 1, None, Path("samples"))
    with Image.open(grid) as image:
        assert image.size == (4 + 6 * 100, 4 + 5 * 100)  # input and five views; five identities


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


@pytest.mark.parametrize(("folder", "words"), [("void", "holds no image"), ("absent", "is no folder")])
def test_samples_need_pictures(finished: Run, folder: str, words: str) -> None:
    Path("void").mkdir(exist_ok=True)
    with pytest.raises(BenchmarkError, match=words):
        sample_images(finished, "tiny", 0, Path(folder), Path("turned"))
