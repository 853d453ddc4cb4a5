"""The command line: quick lists, and mistakes answered by one sentence and exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmark import cli
from benchmark.config import settings
from tests.tools import TINY

LISTS = """
import sys
from benchmark.cli import main
for line in (["--help"], ["run", "--help"], ["models"], ["datasets"]):
    sys.argv = ["benchmark", *line]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, (line, ended.code)
print("heavy:", sorted({"torch", "torchvision", "sklearn", "lightning_fabric"} & set(sys.modules)))
"""


def test_help_and_lists_come_without_torch(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LISTS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "heavy: []" in done.stdout
    for words in ("sample", "--nc", "CNC on the 28x28 map", "multipie", "rendered"):
        assert words in done.stdout, words
    assert not list(tmp_path.iterdir())


def call(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run the command line; return the exit code and what came to stderr."""
    monkeypatch.setattr(sys, "argv", ["benchmark", *line.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run --profile smoek", "has no profile smoek: it has smoke, quick,"),
        ("run --profile smoke --model ousr", "there is no model ousr: there are ours, dr_gan"),
        ("run --profile smoke --model ours xyz", "there is no model xyz"),
        ("run --profile smoke --set training.checkpoint_every=9", "no such setting; use training.checkpoint_minutes,"),
        ("run --profile smoke --set training.imagse=5", "--set training.imagse: there is no such setting; did you"),
        ("run --profile smoke --set training.images", "--set training.images: write KEY=VALUE"),
        ("run --profile smoke --set training.images=-1", "--set: training.images: "),
        ("run --profile smoke --set training.images=[", "the value is no valid YAML"),
        ("run --profile smoke --dataset compcars", "--dataset compcars needs --data-root, the folder of its images"),
        ("run --profile smoke --dataset table --data-root nowhere", "nowhere is no folder; data.root must name"),
        ("run --profile smoke --plugin mine.py", "the plug-in mine.py does not exist"),
        ("run --profile smoke --cpus 2", "--cpus and --gpus go with --cluster"),
        ("run --profile smoke --cluster auto --gpus 1.5", "--gpus 1.5: a share between 0 and 1, or a whole number"),
        ("run --profile smoke --cluster auto --gpus nan", "--gpus nan: a share between 0 and 1, or a whole number"),
        ("run --profile smoke --cluster local", "--cluster local: give auto, or HOST:PORT of the head"),
        ("models --plugin mine.py", "the plug-in mine.py does not exist"),
        ("models --plugin .", "the plug-in . is a folder"),
        ("status --profile smoke", "runs/smoke holds no results yet; run `benchmark run` first, or wait"),
        ("sensitivity --profile smoke --nc 5 12", "nothing is measured in runs/smoke, or all of it is out of date"),
        (
            "sample --profile smoke --model ours",
            "no trained generator; run `benchmark run --profile smoke --model ours`",
        ),
    ],
)
def test_mistakes(
    line: str, words: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call(line, capsys, monkeypatch)
    assert code == 2
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    assert words in said
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize(
    "line",
    ["run --nc", "run --nc 1", "run --nc 20 x", "run --image-size 8", "run --dataset imagenet", "run --what", "walk"],
)
def test_wrong_options(
    line: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call(line, capsys, monkeypatch)
    assert code == 2
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    assert "Traceback" not in said
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_no_settings_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = call("run", capsys, monkeypatch)
    assert code == 2
    assert said == f"error: {tmp_path / 'params.yaml'} is missing; run the command in the project's folder\n"


def opened(project: Path, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Return the run that `benchmark run` would start."""
    started: list[object] = []

    def note(run: object, *_: object, **__: object) -> None:
        started.append(run)
        sys.exit(0)

    monkeypatch.setattr("benchmark.stages.pipeline.run_everything", note)
    assert call(f"run {line}", capsys, monkeypatch)[0] == 0
    return started[0]


@pytest.mark.parametrize("rows", ["--model vanilla", "--nc 4 3", "--seeds 3", "--model all --nc 2 --seeds 2"])
def test_options_that_choose_rows_stay_in_the_profile(
    rows: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = opened(project, f"--profile smoke {rows}", monkeypatch, capsys)
    assert run.folder == Path("runs/smoke")
    assert run.results == Path("runs/smoke/results")  # another profile is the active one


def test_rows_are_those_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = opened(project, "--profile smoke --model vanilla vanilla --nc 4 3 4 --seeds 3", monkeypatch, capsys)
    assert run.settings.models == ("vanilla",)
    assert run.settings.evaluation.nc == (3, 4)
    assert run.settings.seeds == 3


@pytest.mark.parametrize("change", ["--set training.images=64", "--image-size 48", "--dataset table --data-root ."])
def test_options_that_change_values_make_a_run_of_their_own(
    change: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = opened(project, f"--profile smoke {change}", monkeypatch, capsys)
    assert run.folder.parent == Path("runs")
    assert run.folder.name.startswith("adhoc-")
    assert run.results == run.folder / "results"
    more = opened(project, f"--profile smoke {change} --model ours --nc 2 --seeds 4", monkeypatch, capsys)
    assert more.folder == run.folder


NO_VALUE = ["seeds=2", "evaluation.nc=[3]", "fewshot.skip=[unet]", "fewshot.controls=[copy]"]
NO_VALUE += ["training.tensorboard=true", "training.samples_every=7"]


@pytest.mark.parametrize("change", NO_VALUE)
def test_settings_that_change_no_value_make_no_run_of_their_own(
    change: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = opened(project, f"--profile smoke --set {change}", monkeypatch, capsys)
    assert run.folder == Path("runs/smoke")
    assert run.settings != settings.profile("smoke")


def test_a_named_model_is_not_skipped(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    skipped = settings.profile("quick").fewshot.skip
    run = opened(project, "--profile quick --model unet ours", monkeypatch, capsys)
    assert run.settings.fewshot.skip == tuple(name for name in skipped if name != "unet")
    assert run.folder == Path("runs/quick")
    run = opened(project, "--profile quick --model all", monkeypatch, capsys)
    assert run.settings.fewshot.skip == skipped


def test_all_are_the_models_that_the_settings_list_and_the_plug_ins(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tuple(settings.load()["models"])
    assert opened(project, "--model all", monkeypatch, capsys).settings.models == listed
    line = f"--model dr_gan_even all --plugin {TINY}"
    assert opened(project, line, monkeypatch, capsys).settings.models == ("dr_gan_even", *listed, "tiny")
    rest = {key: value for key, value in settings.load().items() if key != "models"}
    Path("params.yaml").write_text(yaml.safe_dump(rest), encoding="utf-8")
    code, said = call("run --model all", capsys, monkeypatch)
    assert (code, said) == (2, "error: params.yaml must list under `models` what `all` stands for\n")


def test_a_change_to_the_same_value_is_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = opened(project, "--profile smoke --image-size 32 --set training.images=320", monkeypatch, capsys)
    assert run.folder == Path("runs/smoke")


def test_the_active_profile_writes_to_results(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    active = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))["active"]
    run = opened(project, "", monkeypatch, capsys)
    assert (run.folder, run.results) == (Path("runs") / active, Path("results"))


def test_a_plugin_is_listed(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark", "models", "--plugin", str(TINY)])
    with pytest.raises(SystemExit):
        cli.main()
    assert "tiny               A tiny model: one convolution" in capsys.readouterr().out
