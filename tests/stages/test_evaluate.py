"""Pictures made elsewhere: what is exported for them, how they are measured, and which are refused."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark import cli
from benchmark.data.image_store import open_store
from benchmark.data.pixels import to_uint8
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError
from benchmark.execution.tasks import Task, everything
from benchmark.making import generating
from benchmark.making.outputs import load
from benchmark.run import runs
from benchmark.run.artifacts import Artifact
from benchmark.run.workspace import Run
from benchmark.stages import archive
from benchmark.stages.collect import collect
from benchmark.stages.evaluate import evaluate, export
from benchmark.stages.pipeline import run_everything
from benchmark.stages.status import states
from tests.stages.helpers import changed, copy_of_data, do, identity_csv
from tests.tools import PROJECT, TINY

ROUNDED = "torch.tanh(self.network(image)).add(1).mul(127.5).round().div(127.5).sub(1)"
KEYS = ["split", "nc"]
TERMS = ["connection_size", "parameters", "images_seen", "warm_up_steps", "batch_size", "train_images"]


@pytest.fixture(scope="module")
def trained(finished: Run) -> Run:
    """The run with a second model, whose outputs are whole grey levels."""
    code = TINY.read_text(encoding="utf-8").replace("return torch.tanh(self.network(image))", f"return {ROUNDED}")
    assert ROUNDED in code
    Path("grey.py").write_text(code, encoding="utf-8")
    run = replace(changed(finished, models=["tiny", "grey"], fewshot__shots=[]), plugins=(TINY, Path("grey.py")))
    run_everything(run)
    return run


@pytest.fixture(scope="module")
def exported(trained: Run) -> Path:
    export(trained, Path("exported"), training=True)
    return Path("exported")


@pytest.fixture(scope="module")
def wanted(exported: Path) -> pd.DataFrame:
    return pd.read_csv(exported / "targets.csv", dtype=str)


@pytest.fixture(scope="module")
def measured(trained: Run, exported: Path, wanted: pd.DataFrame) -> Run:
    """The run with three rows of pictures made elsewhere: the inputs, and what the models made."""
    wanted.assign(output=wanted["file"]).iloc[::-1].to_csv(exported / "outputs.csv", index=False)
    evaluate(trained, "inputs", exported)
    for model in ("tiny", "grey"):
        evaluate(trained, f"its_{model}", written(trained, model, Path(f"its_{model}"), wanted))
    return trained


def written(run: Run, model: str, folder: Path, wanted: pd.DataFrame) -> Path:
    """Write what a trained model makes of every image, as another program would."""
    store, device = open_store(run), open_fabric("cpu").device
    function = generating.generate_function(run, Artifact("outputs", model), store, device)
    folder.mkdir()
    places = {image: place for place, image in enumerate(store.manifest["image"])}
    for row in wanted.itertuples():
        view = run.settings.data.views.index(row.target)
        Image.fromarray(to_uint8(function(np.array([places[row.input]]), view))[0]).save(folder / row.output)
    wanted.to_csv(folder / "outputs.csv", index=False)
    return folder


def row(run: Run, name: str) -> pd.DataFrame:
    """Return a row of the identity table without what says whose it is."""
    table = identity_csv(run)
    own = table[table["model"] == name].set_index(KEYS)
    return own.drop(columns=["profile", "model", "n_seeds", *TERMS])


def outcomes(run: Run, name: str) -> pd.DataFrame:
    table = pd.read_parquet(run.results / "rows" / "identity.parquet")
    own = table[(table["model"] == name) & (table["seed"] == 0)]
    return own.drop(columns="model").sort_values([*KEYS, "draw", "image", "target"], ignore_index=True)


def test_the_export_has_every_standard_image_and_every_view(trained: Run, exported: Path, wanted: pd.DataFrame) -> None:
    store, views = open_store(trained), trained.settings.data.views
    standard = store.manifest.iloc[store.subset("standard")]
    assert list(zip(wanted["input"], wanted["target"], strict=True)) == [
        (i, v) for i in standard["image"] for v in views
    ]
    assert wanted["output"].is_unique
    for number, file in enumerate(wanted["file"].unique()):
        np.testing.assert_array_equal(Image.open(exported / file), store.at(store.subset("standard")[[number]])[0])


def test_the_images_to_train_with_are_labelled_and_none_is_a_standard_one(trained: Run, exported: Path) -> None:
    store, table = open_store(trained), pd.read_csv(exported / "training.csv", dtype=str)
    chosen = np.flatnonzero(store.manifest["split"] != "standard")
    labels = store.manifest.iloc[chosen]
    assert table["part"].tolist() == labels["split"].replace("auxiliary", "training").tolist()
    assert set(table["part"]) == {"training", "validation"}
    assert table[["identity", "view"]].to_numpy().tolist() == labels[["identity", "view"]].to_numpy().tolist()
    for place, file in zip(chosen, table["file"], strict=True):
        np.testing.assert_array_equal(Image.open(exported / file), store.at(np.array([place]))[0])


def test_an_export_goes_into_an_empty_folder_alone(trained: Run, exported: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"exported .*--export"):
        export(trained, exported)


def test_the_inputs_themselves_are_the_control_copy(measured: Run) -> None:
    pd.testing.assert_frame_equal(row(measured, "inputs"), row(measured, "copy"), check_exact=True)


def test_a_model_s_outputs_in_whole_grey_levels_have_its_very_outcomes(measured: Run) -> None:
    pd.testing.assert_frame_equal(outcomes(measured, "its_grey"), outcomes(measured, "grey"), check_exact=True)


def test_a_model_s_outputs_are_measured_alike_up_to_rounding(measured: Run) -> None:
    ours, its = (load(measured, Artifact("outputs", name)) for name in ("tiny", "its_tiny"))
    half = 0.5 / 127.5  # a grey level is 1 / 127.5
    for distances in ("to_input", "to_target"):
        np.testing.assert_allclose(getattr(its, distances), getattr(ours, distances), rtol=0, atol=1.01 * half)
    assert np.corrcoef(its.features.ravel(), ours.features.ravel())[0, 1] > 0.99
    assert (its.view == ours.view).mean() > 0.95


def test_it_stands_between_models_and_controls_with_no_terms(measured: Run, exported: Path) -> None:
    evaluate(measured, "a", exported)
    table = identity_csv(measured)
    outside = ["a", "inputs", "its_grey", "its_tiny"]
    assert table["model"].unique().tolist() == ["grey", "tiny", *outside, "real", "copy", "mean_image"]
    own = table[table["model"] == "a"]
    assert set(own["connection_size"]) == {"-"}
    assert own[TERMS[1:]].isna().all(axis=None)
    said = (measured.results / "identity.md").read_text(encoding="utf-8")
    assert "| a | - | - | - |" in said
    assert ": a, inputs, its_grey, its_tiny." in said
    assert set(pd.read_csv(measured.results / "models.csv")["model"]) == {"tiny", "grey"}
    assert "settings" in (measured.results / "report.html").read_text(encoding="utf-8")


def test_it_is_shown_and_measured_again_with_the_others(measured: Run) -> None:
    assert ("external/inputs", "done", "") in set(states(measured))
    assert Task("identity", "inputs") in everything(measured)
    assert Task("fewshot", "inputs") not in everything(measured)


def test_another_clone_has_it_from_an_archive(measured: Run, tmp_path: Path) -> None:
    archive.store(measured, tmp_path)
    clone = replace(copy_of_data(measured, tmp_path.name), results=tmp_path / "results")
    archive.restore(clone, tmp_path)
    collect(clone)
    pd.testing.assert_frame_equal(outcomes(clone, "inputs"), outcomes(measured, "inputs"))


def test_other_standard_images_leave_it_out(measured: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(measured, folder=tmp_path / "test", results=tmp_path / "results")
    shutil.copytree(measured.folder, other.folder)
    other = changed(other, data__standard=4)
    run_everything(other)
    assert "identity/inputs/seed0/random/nc2: left out of the tables" in capsys.readouterr().out
    assert "inputs" not in set(identity_csv(other)["model"])
    assert (other.folder / "external/inputs/pictures.npy").exists()
    for kind, words in (("external", "bring them by `benchmark evaluate --name inputs"), ("fewshot", "standard set")):
        with pytest.raises(BenchmarkError, match=words):
            do(other, kind, "inputs")


def test_a_model_cannot_have_its_name(measured: Run) -> None:
    with pytest.raises(BenchmarkError, match="pictures made elsewhere"):
        run_everything(changed(measured, models=["inputs"]))


@pytest.mark.parametrize("name", ["tiny", "copy", "ours", "no_augmentation", "a/b", ".."])
def test_a_name_that_is_taken_or_none(name: str, trained: Run, exported: Path) -> None:
    with pytest.raises(BenchmarkError, match="--name"):
        evaluate(trained, name, exported)


def line(number: int, **values: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Change a line of the table."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        for column, value in values.items():
            table.loc[number, column] = value
        return table

    return change


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "a line less": (lambda t: t.drop([3, 7]), r"no line for the input '\S+' and the target '\S+' \(missing lines: 2\)"),
    "a line twice": (lambda t: pd.concat([t, t.iloc[:1]]), r"line 252: input '\S+' stands .* before; .* this: 1\)"),
    "an image of none": (
        line(4, input="0.png"),
        r"line 6: input '0.png' is no standard image; .* \(lines like this: 1\)",
    ),
    "a view of none": (
        line(0, target="rear"),
        r"line 2: target 'rear' is not in data\.views, which has left, .* this: 1\)",
    ),
    "a file that is not there": (
        line(0, output="x.png"),
        r"x.png is no readable image: No such file .*; of 250 pictures 1",
    ),
    "a folder": (line(0, output="inputs"), "is no readable image: it is no file; of 250 pictures 1 cannot be used"),
    "a text": (line(0, output="targets.csv"), "targets.csv is no readable image: .*; of 250 pictures 1 cannot be used"),
    "one too wide": (line(5, output="wide.png"), "wide.png has 40 x 32 pixels and must be square; of 250 pictures 1"),
    "a file beside": (
        line(5, output="../grey.py"),
        r"line 7: output '../grey.py' leads out of exported; .* this: 1\)",
    ),
    "a file elsewhere": (line(5, output="/etc/passwd"), "'/etc/passwd' leads out of exported"),
    "a link": (line(5, output="link.png"), "'link.png' leads out of exported"),
    "no column": (lambda t: t.drop(columns="target"), "line 1: there is no column target"),
    "nothing": (lambda t: t.iloc[:0], r"missing lines: 250\)"),
}


@pytest.fixture(scope="module")
def spoilt(exported: Path) -> Iterator[Path]:
    Image.new("RGB", (40, 32)).save(exported / "wide.png")
    (exported / "link.png").symlink_to(Path("pictures/0_0.png").absolute())
    yield exported
    (exported / "link.png").unlink()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, trained: Run, spoilt: Path, wanted: pd.DataFrame, tmp_path: Path) -> None:
    change, words = REFUSED[name]
    change(wanted.assign(output=wanted["file"])).to_csv(tmp_path / "outputs.csv", index=False)
    before = sorted(trained.folder.rglob("*"))
    with pytest.raises(BenchmarkError, match=words) as refused:
        evaluate(trained, "refused", spoilt, tmp_path / "outputs.csv")
    assert "\n" not in str(refused.value)
    assert sorted(trained.folder.rglob("*")) == before


def test_larger_squares_are_resized_as_the_data_set_is(
    trained: Run, exported: Path, wanted: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(exported / "inputs", tmp_path / "inputs")
    for file in (tmp_path / "inputs").iterdir():
        Image.open(file).resize((64, 64), Image.Resampling.NEAREST).save(file)
    wanted.assign(output=wanted["file"]).to_csv(tmp_path / "outputs.csv", index=False)
    evaluate(trained, "larger", tmp_path)
    found = np.load(Artifact("external", "larger").cell(trained).folder / "pictures.npy")
    shown = Image.open(tmp_path / wanted["file"][0]).resize((32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(found[0, 0], shown)


def test_the_example_on_the_command_line(
    trained: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(PROJECT / "params.yaml", ".")
    runs.store(trained)

    def call(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["benchmark", "evaluate", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(str(ended.value.code))

    assert call("--run", "test", "--export", "wanted") == 0
    subprocess.run([sys.executable, PROJECT / "examples/mirror.py", "wanted", "mirrored"], check=True)
    assert call("--run", "test", "--name", "mirrored", "--images", "mirrored") == 0
    assert "| mirrored | - |" in capsys.readouterr().out
    assert call("--run", "test", "--name", "mirrored", "--images", "nowhere") == 2
    assert capsys.readouterr().err.startswith("error: nowhere ")
    mistakes = (["--name", "x"], ["--images", "x"], ["--name", "x", "--images", "x", "--export", "x"], [])
    mistakes += (["--export", "x", "--table", "y"], ["--name", "x", "--images", "x", "--training"])
    assert {call(*words) for words in mistakes} == {2}


def test_the_example_is_short() -> None:
    assert len((PROJECT / "examples/mirror.py").read_text(encoding="utf-8").splitlines()) <= 30
