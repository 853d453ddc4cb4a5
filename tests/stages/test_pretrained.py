"""A trained generator beside stored results: put there, found, drawn from, and refused where it does not fit."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from benchmark.cli import cli
from benchmark.config import settings
from benchmark.config.settings import Profile
from benchmark.data import tiles
from benchmark.errors import BenchmarkError
from benchmark.evaluation import samples
from benchmark.files import write_text
from benchmark.results.records import Facts
from benchmark.run import workspace
from benchmark.run.cells import RECORD
from benchmark.run.workspace import Run, run_of_profile
from benchmark.stages import collect, pretrained
from benchmark.stages.pipeline import check_and_prepare
from benchmark.stages.sample import sample_images
from tests.stages.helpers import changed, do
from tests.stages.small import small_run
from tests.tools import PROJECT

FOLDER = Path("results/reference/smoke/generators/tiny/seed0")
STORED = sorted(PROJECT.glob("results/reference/*/generators/*/seed*"))


def write_facts(results: Path, name: str, of: Profile) -> None:
    """Make `results` a folder of results of some settings, as far as `export` reads it."""
    facts = Facts(name=name, settings=of, commit="", versions={}, devices=(), counts={}, trained={}, left_out={})
    write_text(results / "rows" / "facts.json", facts.model_dump_json())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that has trained a model and put it beside results; its folder is the working directory."""
    with small_run(tmp_path_factory.mktemp("pretrained")) as small:
        run = replace(small, folder=Path("runs/smoke"))
        check_and_prepare(run)
        do(run, "train", "tiny")
        write_facts(pretrained.reference(run), "smoke", run.settings)
        assert pretrained.export(run, "tiny", 0, pretrained.reference(run)) == FOLDER
        yield run


@pytest.fixture
def clone(made: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same run where nothing is but the model's source and the stored results."""
    for name in ("results", "tiny.py"):
        (shutil.copytree if Path(name).is_dir() else shutil.copyfile)(name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return made


def sampled(run: Run, seed: int = 0) -> bytes:
    (grid,) = sample_images(run, "tiny", seed, None, Path("samples"))
    return grid.read_bytes()


def test_without_a_training_the_shipped_generator_draws_the_same(
    made: Run, clone: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = sampled(clone)
    assert f"runs/smoke; the generator that comes in {FOLDER}\n" in capsys.readouterr().out
    assert {path.name for path in Path().iterdir()} - {"__pycache__"} == {"results", "samples", "tiny.py"}
    monkeypatch.undo()  # back where it is trained
    shutil.rmtree("samples", ignore_errors=True)
    of_own_run, stored = (Image.open(BytesIO(grid)) for grid in (sampled(made), drawn))
    right = [grid.crop((grid.width - stored.width + 2, 0, *grid.size)) for grid in (of_own_run, stored)]
    assert right[0].tobytes() == right[1].tobytes()  # left are names, where they are known
    assert "tiny seed 0: the generator trained in runs/smoke/models/tiny/seed0\n" in capsys.readouterr().out


def test_it_turns_own_pictures_and_passes_over_what_systems_put_beside_them(
    clone: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own").mkdir()
    Image.new("RGB", (30, 20), "red").save("own/a.png")
    for name in ("._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", "IMG_1.HEIC"):
        Path("own", name).write_bytes(b"\0\5\x16\7")
    written = sample_images(clone, "tiny", 0, Path("own"), Path("turned"))
    assert [path.name for path in written] == ["tiny_seed0.png", "a_left.png", "a_right.png"]
    said = capsys.readouterr().out
    assert "own: passed over 4 files of the system, such as '.DS_Store'\n" in said
    assert "own: passed over 1 files with other endings, such as 'IMG_1.HEIC'\n" in said


def test_the_record_names_no_place_of_the_machine(clone: Run) -> None:
    record = (FOLDER / RECORD).read_text(encoding="utf-8")
    assert {"files", "images", "parameters", "training"} < set(json.loads(record))
    for place in ("pictures", "labels.csv", "/tmp", str(PROJECT), str(Path.home())):  # noqa: S108
        assert place not in record, place
    assert sorted(path.name for path in FOLDER.iterdir()) == ["generator.safetensors", "inputs.png", RECORD]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("generator.safetensors", b"\0" * 100, "generator.safetensors was altered"),
        ("generator.safetensors", None, "generator.safetensors is missing"),
        ("inputs.png", b"", "inputs.png was altered"),
        (RECORD, b'{"status": "done"', "run.json is damaged"),
    ],
)
def test_a_damaged_one_is_said(clone: Run, name: str, content: bytes | None, words: str) -> None:
    (FOLDER / name).unlink() if content is None else (FOLDER / name).write_bytes(content)
    with pytest.raises(
        BenchmarkError, match=rf"trained generator, and that in {FOLDER} cannot be used \({words}\); run"
    ):
        sampled(clone)
    assert not Path("samples").exists()


def test_one_of_other_settings_is_not_used(clone: Run) -> None:
    words = (
        r"cannot be used \(training.images changed from 32 to 64\); run `benchmark run --profile smoke --model tiny`"
    )
    with pytest.raises(BenchmarkError, match=words):
        sampled(changed(clone, training__images=64))
    assert sampled(changed(clone, training__checkpoint_minutes=3.0, evaluation__draws=7, data__root="elsewhere"))


@pytest.mark.parametrize(("folder", "seed"), [("runs/adhoc-0123456789", 0), ("runs/smoke", 1)])
def test_another_run_and_another_seed_have_none(clone: Run, folder: str, seed: int) -> None:
    run = replace(clone, folder=Path(folder))
    with pytest.raises(BenchmarkError, match=rf"{folder}/models/tiny/seed{seed} .*; run `bench"):
        sampled(run, seed)


def test_a_model_that_has_changed_is_said(clone: Run) -> None:
    text = Path("tiny.py").read_text(encoding="utf-8").replace("Conv2d(3, 3, 1)", "Conv2d(3, 3, 3)")
    Path("tiny.py").write_text(text, encoding="utf-8")
    with pytest.raises(BenchmarkError, match="does not fit tiny"):
        sampled(clone)


def test_only_results_of_the_same_settings_take_one(made: Run, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"rows/facts\.json is missing"):
        pretrained.export(made, "tiny", 0, tmp_path)
    write_facts(tmp_path, "quick", made.settings)
    with pytest.raises(BenchmarkError, match=r"\(profile changed from quick to smoke\)"):
        pretrained.export(made, "tiny", 0, tmp_path)
    write_facts(tmp_path, "smoke", changed(made, training__width=0.5).settings)
    with pytest.raises(BenchmarkError, match=r"\(training.width changed from 0.5 to 0.125\)"):
        pretrained.export(made, "tiny", 0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_what_is_not_trained_or_out_of_date_is_not_shipped(made: Run) -> None:
    before = (FOLDER / RECORD).read_bytes()
    with pytest.raises(BenchmarkError, match="seed1 "):
        pretrained.export(made, "tiny", 1, pretrained.reference(made))
    with pytest.raises(BenchmarkError, match=r"\(training.log_every changed from 1 to 2\)"):
        pretrained.export(changed(made, training__log_every=2), "tiny", 0, pretrained.reference(made))
    assert (FOLDER / RECORD).read_bytes() == before
    assert [path.name for path in FOLDER.parent.iterdir()] == ["seed0"]


@pytest.mark.parametrize(("named", "results"), [("", "results/reference/smoke"), ("elsewhere", "elsewhere")])
def test_the_command_ships_to_the_results_of_the_profile(
    named: str, results: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pretrained, "export", lambda run, *words: " ".join(map(str, (run.folder, *words))))
    monkeypatch.setattr(collect, "finished", lambda run, model, seed: None)
    words = [*named.split(), "--model", "ours", "unet", "--seed", "2", "--profile", "smoke"]
    cli(["export", *words], standalone_mode=False)
    assert capsys.readouterr().out == f"runs/smoke ours 2 {results}\nruns/smoke unet 2 {results}\n"


def test_something_is_to_be_exported(project: Path) -> None:
    with pytest.raises(click.UsageError, match="--with-results"):
        cli(["export", "--profile", "smoke"], standalone_mode=False)


def test_results_are_stored_once_it_is_known_that_all_is_there(
    made: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own, target = replace(made, results=tmp_path / "own"), tmp_path / "reference"
    monkeypatch.setattr(settings, "profile", lambda _: made.settings)
    monkeypatch.setattr(workspace, "run_of_profile", lambda *_: own)
    monkeypatch.setattr("benchmark.cli.model_names", lambda models, _: models)
    (own.results / "metrics").mkdir(parents=True)

    def export(seed: int) -> None:
        words = ["export", str(target), "--model", "tiny", "--seed", str(seed), "--with-results"]
        cli([*words, "--profile", "smoke"], standalone_mode=False)

    write_facts(own.results, "quick", made.settings)
    with pytest.raises(BenchmarkError, match=r"own .*settings"):
        export(0)
    write_facts(own.results, "smoke", made.settings)
    with pytest.raises(BenchmarkError, match="seed1 "):
        export(1)
    assert not target.exists()
    export(0)
    assert capsys.readouterr().out == f"{target}\n{target}/generators/tiny/seed0\n"
    assert sorted(path.name for path in target.iterdir()) == ["generators", "metrics", "rows"]


def test_the_repository_has_generators() -> None:
    assert {folder.parts[-4] for folder in STORED} >= {"smoke", "quick"}


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: "-".join(folder.parts[-4:]))
def test_a_generator_of_the_repository_draws_what_its_results_show(
    folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, model, seed = folder.parts[-4], folder.parts[-2], int(folder.name.removeprefix("seed"))
    Path("results").symlink_to(PROJECT / "results")
    columns: list[tiles.Tiles] = []
    monkeypatch.setattr("benchmark.stages.sample.save_columns", lambda found, *_: columns.append(samples.tiles(found)))
    run = run_of_profile(settings.profile(profile), device="cpu")
    sample_images(run, model, seed, None, Path("samples"))
    (drawn,) = columns
    shown = tiles.read(folder.parents[2] / "rows" / "samples" / f"{model}.png", run.settings.data.image_size)
    np.testing.assert_array_equal(drawn[:, 0], shown[:, 0])
    assert np.abs(drawn.astype(int) - shown).max() <= 1  # another machine rounds differently
